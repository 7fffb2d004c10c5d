import { defineApp } from 'fulcrum';

/** One handler in each way that its process can come to be. */
export default defineApp({
  name: 'cold',
  components: {
    // Its process is there already, and idle.
    warm: { entry: './hello.ts', routes: ['/warm'], keepAlive: '5m', max: 1 },
    // None is kept: each request has its process forked from a zygote that has loaded the module.
    zygote: { entry: './hello.ts', routes: ['/zygote'], keepAlive: '0s' },
    sdk: { entry: './sdk.ts', routes: ['/sdk'], keepAlive: '0s' },
    // Nothing of it runs between two requests.
    disk: { entry: './hello.ts', routes: ['/disk'], keepAlive: '0s', zygoteKeepAlive: '0s' },
    fresh: { entry: './hello.ts', routes: ['/fresh'], fresh: true },
    spawned: { entry: './spawned.ts', routes: ['/spawned'], fresh: true },
    // To be looked at while they are idle.
    'idle-hello': { entry: './hello.ts', routes: ['/idle-hello'], keepAlive: '5m' },
    'idle-sdk': { entry: './sdk.ts', routes: ['/idle-sdk'], keepAlive: '5m' },
    'idle-spawned': { entry: './spawned.ts', routes: ['/idle-spawned'], keepAlive: '5m' },
  },
});
