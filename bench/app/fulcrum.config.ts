import { defineApp } from 'fulcrum';

const ROUTES = (path: string) => [{ path: `${path}/*`, bodyLimit: '16MB' }];

/** What the benchmarks of the gateway run: one handler in both modes. */
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
  },
});
