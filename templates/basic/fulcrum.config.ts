import { defineApp } from 'fulcrum';

export default defineApp({
  name: '__NAME__',
  components: {
    // A function: an instance exists only while there is work.
    hello: { entry: './hello.ts', routes: ['/api/hello'], mode: 'function' },
    // A service: always on, so it can keep what it has counted in memory.
    counter: { entry: './counter.ts', routes: ['/*'], mode: 'service' },
  },
});
