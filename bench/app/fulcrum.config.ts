import { defineApp } from 'fulcrum';

const ROUTES = (path: string) => [{ path: `${path}/*`, bodyLimit: '16MB' }];

/** What the benchmarks run: one handler in each way that a component can run. */
export default defineApp({
  name: 'bench',
  components: {
    service: { entry: './hello.ts', routes: ROUTES('/service'), mode: 'service' },
    // One instance that takes as many at once as the service does, so that the two differ in their mode alone.
    warm: {
      entry: './hello.ts',
      routes: ROUTES('/warm'),
      mode: 'function',
      concurrency: 100,
      max: 1,
      keepAlive: '5m',
    },
    // A new process for every request, because it must be or because none is kept.
    fresh: { entry: './hello.ts', routes: ['/fresh'], mode: 'function', fresh: true },
    ending: { entry: './hello.ts', routes: ['/ending'], mode: 'function', keepAlive: '0s' },
  },
});
