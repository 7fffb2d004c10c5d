import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedSecrets, refuseMissingSecrets } from './named-secrets.ts';

const CONFIG = {
  name: 'shop',
  env: { TOKEN: { $secret: 'TOKEN' }, PLAIN: 'x' },
  events: { endpoint: { path: '/events', token: { $secret: 'EVENTS_TOKEN' } } },
  components: {
    web: { entry: './web.ts', env: { KEY: { $secret: 'PAYMENT_KEY' } } },
    legacy: { command: 'x', env: { TOKEN: 'its own' } },
    files: { static: './public' },
  },
};

test('the app’s secrets are every component’s that has instances and no value of its own; its endpoint has one, too', () => {
  assert.deepEqual(namedSecrets(CONFIG), [
    { component: 'web', variable: 'TOKEN', secret: 'TOKEN' },
    { component: 'web', variable: 'KEY', secret: 'PAYMENT_KEY' },
    { component: null, variable: null, secret: 'EVENTS_TOKEN' },
  ]);
  assert.deepEqual(namedSecrets('no config'), []);
});

test('those without a value are refused by name', () => {
  refuseMissingSecrets(CONFIG, new Set(['TOKEN', 'PAYMENT_KEY', 'EVENTS_TOKEN']), 'Set it.');
  assert.throws(() => refuseMissingSecrets(CONFIG, new Set(['TOKEN']), 'Set it.'), {
    code: 'secret-missing',
    message:
      /PAYMENT_KEY, for components\.web\.env\.KEY\n {2}EVENTS_TOKEN, for events\.endpoint\.token[^]*Set it\.$/,
  });
});
