import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { resolveValues } from './env.ts';
import { app, appFolder, load } from './testing/configs.ts';

const SHOP = app(
  {
    a: { entry: './a.ts', env: { KEY: { $secret: 'PAYMENT_KEY' }, CURRENCY: 'GBP' } },
    b: { command: 'x', env: { OTHER: { $secret: 'MAIL_KEY' } } },
    c: { static: './public' },
  },
  { env: { CURRENCY: 'EUR', TOKEN: { $secret: 'PAYMENT_KEY' } } },
);

const TOKEN = 'open-sesame-open-sesame';
const EVENTS = (token: unknown): object =>
  app({ a: { entry: './a.ts' } }, { events: { endpoint: { path: '/events', token } } });

describe('resolveValues', () => {
  it("finds the token of the app's endpoint for events", async (t) => {
    const directory = await appFolder(t);
    const none = { secrets: new Map<string, string>() };
    assert.equal(
      resolveValues(await load(directory, app({ a: { entry: './a.ts' } })), none).eventToken,
      null,
    );
    assert.equal(resolveValues(await load(directory, EVENTS(TOKEN)), none).eventToken, TOKEN);
    const kept = await load(directory, EVENTS({ $secret: 'EVENTS_TOKEN' }));
    const secrets = new Map([['EVENTS_TOKEN', TOKEN]]);
    assert.equal(resolveValues(kept, { secrets }).eventToken, TOKEN);
    assert.throws(() => resolveValues(kept, none), {
      code: 'secret-missing',
      message: /^A secret has no value:\n\n {2}EVENTS_TOKEN, for events\.endpoint\.token\n/,
    });
  });

  it('refuses a token that is easily guessed or cannot be sent, without showing it', async (t) => {
    const directory = await appFolder(t);
    const spec = await load(directory, EVENTS({ $secret: 'EVENTS_TOKEN' }));
    const cases: [string, RegExp][] = [
      ['sesame', /shorter than 16 characters/],
      ['sesame'.repeat(100), /longer than 512 characters/],
      ['sesame sesame sesame', /not what a header can carry/],
    ];
    for (const [value, problem] of cases) {
      for (const advice of [undefined, 'Set it.']) {
        const secrets = new Map([['EVENTS_TOKEN', value]]);
        const sources = advice === undefined ? { secrets } : { secrets, advice };
        assert.throws(
          () => resolveValues(spec, sources),
          (error: unknown) => {
            assert.ok(error instanceof FulcrumError);
            assert.equal(error.code, 'config-invalid');
            assert.match(error.message, problem);
            assert.match(error.message, /events\.endpoint\.token: the value of the secret EVENTS_TOKEN/);
            assert.doesNotMatch(JSON.stringify([error.message, error.details]), /sesame/);
            // Who deploys to a server is not told where things lie there.
            assert.equal(error.message.includes(directory), advice === undefined);
            return true;
          },
        );
      }
    }
  });

  it('fills secrets in, for every component that has instances', async (t) => {
    const spec = await load(await appFolder(t), SHOP);
    const secrets = new Map([
      ['PAYMENT_KEY', 'sesame'],
      ['MAIL_KEY', ''],
      ['UNUSED', 'x'],
    ]);
    const environments = resolveValues(spec, { secrets }).env;
    assert.deepEqual(
      [...environments],
      [
        ['a', { CURRENCY: 'GBP', TOKEN: 'sesame', KEY: 'sesame' }],
        ['b', { CURRENCY: 'EUR', TOKEN: 'sesame', OTHER: '' }],
      ],
    );
    assert.ok(Object.isFrozen(environments.get('a')));
  });

  it('tells every missing secret at once, who needs it and where it goes, and no value', async (t) => {
    const directory = await appFolder(t);
    const spec = await load(directory, SHOP);
    const secrets = new Map([['PAYMENT_KEYS', 'sesame']]);
    assert.throws(
      () => resolveValues(spec, { secrets }).env,
      (error: unknown) => {
        assert.ok(error instanceof FulcrumError);
        assert.equal(error.code, 'secret-missing');
        assert.match(error.message, /^2 secrets have no value/);
        assert.match(error.message, /PAYMENT_KEY, for components\.a\.env\.TOKEN, components\.a\.env\.KEY, /);
        assert.match(error.message, /MAIL_KEY, for components\.b\.env\.OTHER$/m);
        assert.match(error.message, /there is a secret PAYMENT_KEYS, did you mean that\?/);
        assert.ok(error.message.includes(join(directory, '.env')));
        assert.doesNotMatch(JSON.stringify([error.message, error.details]), /sesame/);
        assert.deepEqual(error.details['missing'], [
          { component: 'a', variable: 'TOKEN', secret: 'PAYMENT_KEY' },
          { component: 'a', variable: 'KEY', secret: 'PAYMENT_KEY' },
          { component: 'b', variable: 'TOKEN', secret: 'PAYMENT_KEY' },
          { component: 'b', variable: 'OTHER', secret: 'MAIL_KEY' },
        ]);
        return true;
      },
    );
  });
});
