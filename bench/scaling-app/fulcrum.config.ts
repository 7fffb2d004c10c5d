import { defineApp } from 'fulcrum';
import { ARRIVING, KEEP_ALIVES } from '../arrivals.ts';

const burst = { mode: 'function', timeout: '5m', keepAlive: '300ms' } as const;

/** What bursts, what is flooded and its neighbours, and the ten that are asked as traffic comes. */
export default defineApp({
  name: 'scaling',
  components: {
    'waits-fork': { ...burst, entry: './waits.ts', routes: ['/waits-fork'] },
    'waits-spawn': { ...burst, entry: './waits-spawned.ts', routes: ['/waits-spawn'] },
    'computes-fork': { ...burst, entry: './computes.ts', routes: ['/computes-fork'] },
    'computes-spawn': { ...burst, entry: './computes-spawned.ts', routes: ['/computes-spawn'] },
    // Two instances of 20 ms each can do 100/s, which is its limit as well.
    flooded: {
      entry: './waits.ts',
      routes: ['/flooded'],
      mode: 'function',
      max: 2,
      queue: 20,
      keepAlive: '1m',
      limits: { rps: 100, burst: 100 },
    },
    service: { entry: './waits.ts', routes: ['/service'], mode: 'service' },
    function: { entry: './waits.ts', routes: ['/function'], mode: 'function' },
    // Each of the ten with each keep-alive.
    ...Object.fromEntries(
      KEEP_ALIVES.flatMap((keepAlive) =>
        ARRIVING.map((name) => [
          `${name}-${keepAlive}`,
          { entry: './waits.ts', routes: [`/${name}-${keepAlive}`], mode: 'function' as const, keepAlive },
        ]),
      ),
    ),
  },
});
