import assert from 'node:assert/strict';
import type { SealedSecret } from '../../../src/model/secret-store.ts';
import { checksOf, type StoreUnderTest } from './support/store-under-test.ts';
import { NOW_MS } from './support/things.ts';

/** What every store of secrets must do. */
export function secretsSuite(subject: StoreUnderTest): void {
  const check = checksOf(subject);

  check('secrets: they are kept by app and name, byte for byte', async ({ secrets }) => {
    const odd = secret({ name: 'B', sealed: Uint8Array.from({ length: 256 }, (_, i) => i) });
    await secrets.put(odd);
    await secrets.put(secret({ name: 'A', sealed: new Uint8Array() }));
    await secrets.put(secret({ app: 'other' }));
    assert.deepEqual(
      (await secrets.list('shop')).map((one) => one.name),
      ['A', 'B'],
    );
    assert.deepEqual((await secrets.list('shop'))[1], odd);
    assert.deepEqual(
      (await secrets.all()).map((one) => `${one.app}/${one.name}`),
      ['other/KEY', 'shop/A', 'shop/B'],
    );
  });

  check('secrets: putting again replaces', async ({ secrets }) => {
    await secrets.put(secret());
    const next = secret({ sealed: Uint8Array.of(9), keyId: 'k2', updatedAtMs: NOW_MS + 1 });
    await secrets.put(next);
    assert.deepEqual(await secrets.list('shop'), [next]);
  });

  check('secrets: removing tells whether there was one', async ({ secrets }) => {
    await secrets.put(secret());
    assert.equal(await secrets.remove('shop', 'KEY'), true);
    assert.equal(await secrets.remove('shop', 'KEY'), false);
  });

  check('secrets: a rotation leaves out what has changed since it was read', async ({ secrets }) => {
    const names = ['A', 'B', 'C', 'D'];
    const before = names.map((name) => secret({ name }));
    for (const one of before) await secrets.put(one);
    const changed = secret({ name: 'B', sealed: Uint8Array.of(7, 7) });
    await secrets.put(changed);
    await secrets.remove('shop', 'C');
    const pairs = before.map((one) => ({
      before: one,
      after: { ...one, keyId: 'k2', sealed: Uint8Array.of(2) },
    }));
    assert.equal(await secrets.replace(pairs), 2);
    assert.deepEqual(await secrets.list('shop'), [pairs[0]!.after, changed, pairs[3]!.after]);
    assert.equal(await secrets.replace(pairs), 0);
    assert.equal(await secrets.replace([]), 0);
  });
}

function secret(fields: Partial<SealedSecret> = {}): SealedSecret {
  return {
    app: 'shop',
    name: 'KEY',
    keyId: 'k1',
    sealed: Uint8Array.of(1, 2, 3),
    updatedAtMs: NOW_MS,
    ...fields,
  };
}
