import { defineApp } from 'fulcrum';

const callee = { entry: './callee.ts' } as const;
const caller = { mode: 'service', concurrency: 1_000, timeout: '1h' } as const;

export default defineApp({
  name: 'calls-bench',
  groups: { joined: ['near-caller', 'near'] },
  components: {
    // Calls as it is asked to, and measures that.
    caller: { entry: './caller.ts', routes: ['/caller/*'], ...caller },
    // The same in one process with what it calls.
    'near-caller': { entry: './caller.ts', routes: ['/near-caller/*'], ...caller },
    near: { ...callee, mode: 'service', concurrency: 1_000, timeout: '1h' },
    service: { ...callee, mode: 'service', concurrency: 1_000 },
    warm: { ...callee, keepAlive: '1h' },
    // None is kept: each call has a process of its own, forked from a zygote that has loaded the module.
    cold: { ...callee, keepAlive: '0s', zygoteKeepAlive: '1h' },
    // Nothing of it runs between two calls.
    disk: { ...callee, keepAlive: '0s', zygoteKeepAlive: '0s' },
  },
});
