import { defineApp, secret } from 'fulcrum';

export default defineApp({
  name: 'shop',
  env: { CURRENCY: 'EUR' },
  components: {
    // Every page. Always on: people wait for it.
    storefront: { entry: './storefront/main.ts', routes: ['/*'], mode: 'service' },

    // 200 products as data, and no state: an ideal function. Try `fulcrum mode catalog service`.
    catalog: { entry: './catalog/main.ts', routes: ['/api/catalog/*'], mode: 'auto' },

    // The basket lives in a signed cookie, so any instance can serve any visitor.
    cart: { entry: './cart/main.ts', routes: ['/cart/*'], env: { CART_KEY: secret('CART_KEY') } },

    // Takes the money, writes the order down and publishes `order.paid`: one writer, always on. Its ticks tell of what a crash left untold.
    checkout: {
      entry: './checkout/main.ts',
      routes: ['/checkout/*'],
      schedule: '@every 1m',
      mode: 'service',
      env: { PAYMENT_KEY: secret('PAYMENT_KEY') },
      storage: ['./data'],
    },

    // How much there is of everything. Paid orders take it away, deliveries bring it back; the catalogue asks.
    stock: {
      entry: './stock/main.ts',
      events: { types: ['order.paid', 'stock.arrived'], batch: { size: 50 } },
      mode: 'service',
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
