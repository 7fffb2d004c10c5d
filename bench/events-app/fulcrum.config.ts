import { defineApp } from 'fulcrum';

export default defineApp({
  name: 'events-bench',
  components: {
    // Publishes as it is asked to.
    source: {
      entry: './source.ts',
      routes: ['/source/*'],
      mode: 'service',
      concurrency: 1_000,
      timeout: '1h',
    },
    // Takes events as a service does, and knows how many and how late of all that are taken.
    sink: {
      entry: './sink.ts',
      routes: ['/sink/*'],
      events: { types: ['service', 'bulk-service'], batch: { size: 100 } },
      mode: 'service',
      concurrency: 1_000,
      timeout: '1h',
    },
    warm: { entry: './taker.ts', events: ['warm'], keepAlive: '1h' },
    zero: { entry: './taker.ts', events: ['zero'], keepAlive: '1ms', zygoteKeepAlive: '1h' },
    bulk: { entry: './taker.ts', events: { types: ['bulk-function'], batch: { size: 100 } } },
    // Down for as long as anybody looks: what is published for it stays.
    parked: { entry: './taker.ts', events: ['parked'], limits: { concurrency: 0 } },
  },
});
