import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { resolveEnv } from './env.ts';
import { app, appFolder, load } from './testing/configs.ts';

const SHOP = app(
  {
    a: { entry: './a.ts', env: { KEY: { $secret: 'PAYMENT_KEY' }, CURRENCY: 'GBP' } },
    b: { command: 'x', env: { OTHER: { $secret: 'MAIL_KEY' } } },
    c: { static: './public' },
  },
  { env: { CURRENCY: 'EUR', TOKEN: { $secret: 'PAYMENT_KEY' } } },
);

describe('resolveEnv', () => {
  it('fills secrets in, for every component that has instances', async (t) => {
    const spec = await load(await appFolder(t), SHOP);
    const secrets = new Map([
      ['PAYMENT_KEY', 'sesame'],
      ['MAIL_KEY', ''],
      ['UNUSED', 'x'],
    ]);
    const environments = resolveEnv(spec, { secrets });
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
      () => resolveEnv(spec, { secrets }),
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
