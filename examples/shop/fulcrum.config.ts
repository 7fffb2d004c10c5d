import { defineApp, secret } from 'fulcrum';

export default defineApp({
  name: 'shop',
  env: { CURRENCY: 'EUR' },

  // Components of one group share their instances, and call each other within the process. Nothing else changes: try it.
  // groups: { core: ['checkout', 'inventory'] },

  components: {
    // Every page. Always on: people wait for it.
    storefront: { entry: './storefront/main.ts', routes: ['/*'], mode: 'service' },

    // 200 products as data, and no state: an ideal function. Try `fulcrum mode catalog service`.
    catalog: { entry: './catalog/main.ts', routes: ['/api/catalog/*'], mode: 'auto' },

    // The basket lives in a signed cookie, so any instance can serve any visitor.
    cart: { entry: './cart/main.ts', routes: ['/cart/*'], env: { CART_KEY: secret('CART_KEY') } },

    // What things cost: arithmetic, and nothing that it needs anybody for.
    pricing: { entry: './pricing/main.ts', calls: [] },

    // Puts goods aside, has the money taken, writes the order down and publishes `order.paid`: one writer, always on. Its ticks end what a
    // crash left open.
    checkout: {
      entry: './checkout/main.ts',
      routes: ['/checkout/*'],
      schedule: '@every 1m',
      mode: 'service',
      calls: ['cart', 'pricing', 'inventory', 'payment'],
      storage: ['./data'],
    },

    // How much there is of everything. Checkout puts goods aside, paid orders take them away, deliveries bring more; the catalogue asks.
    inventory: {
      entry: './inventory/main.ts',
      events: { types: ['order.paid', 'stock.arrived'], batch: { size: 50 } },
      mode: 'service',
      calls: [],
      storage: ['./data'],
    },

    // A payment provider to try things with: the card's number says what goes wrong. Nobody waits for its answer for longer than five seconds.
    payment: {
      entry: './payment/main.ts',
      timeout: '5s',
      calls: [],
      env: { PAYMENT_KEY: secret('PAYMENT_KEY') },
      storage: ['./data'],
    },

    // Woken by paid orders; nothing in between.
    receipts: { entry: './receipts/main.ts', events: ['order.paid'], mode: 'function', storage: ['./data'] },

    // The day's sales, at two in the morning, to be looked at under /report.
    report: {
      entry: './report/main.ts',
      routes: ['/report/*'],
      schedule: { cron: '0 2 * * *', timeZone: 'Europe/Berlin' },
      mode: 'function',
      memory: '256MB',
      timeout: '30s',
      storage: ['./data'],
    },

    // An older program that knows nothing of Fulcrum: it listens on $PORT, and that is enough.
    account: {
      command: 'node server.js',
      cwd: './account',
      routes: ['/account/*'],
      mode: 'service',
      health: '/account/health',
    },

    assets: { static: './public', routes: ['/assets/*'] },
  },
});
