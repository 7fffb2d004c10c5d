import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { newSealKey, seal, sealKey, unseal } from './seal.ts';

const numRuns = process.env['FULCRUM_FULL'] === '1' ? 1_000 : 100;
const place = fc.record({ app: fc.string({ unit: 'binary' }), name: fc.string({ unit: 'binary' }) });
const value = fc.string({ unit: 'binary', maxLength: 300 });

test('what was sealed opens for its own place and key, and for no other', () => {
  const key = newSealKey();
  const other = newSealKey();
  fc.assert(
    fc.property(place, place, value, (here, there, text) => {
      const sealed = seal(key, here, text);
      assert.equal(unseal(key, here, sealed), text);
      assert.equal(unseal(other, here, sealed), null);
      if (here.app !== there.app || here.name !== there.name) assert.equal(unseal(key, there, sealed), null);
    }),
    { numRuns },
  );
});

test('one changed bit anywhere, and it does not open; nor cut, nor longer', () => {
  const key = newSealKey();
  fc.assert(
    fc.property(place, value, fc.nat(), fc.integer({ min: 0, max: 7 }), (here, text, at, bit) => {
      const sealed = seal(key, here, text);
      const changed = Uint8Array.from(sealed);
      changed[at % changed.length]! ^= 1 << bit;
      assert.equal(unseal(key, here, changed), null);
      assert.equal(unseal(key, here, sealed.subarray(0, at % sealed.length)), null);
      assert.equal(unseal(key, here, Buffer.concat([sealed, Buffer.from([bit])])), null);
    }),
    { numRuns },
  );
});

test('every byte of one sealed secret counts', () => {
  const key = newSealKey();
  const here = { app: 'shop', name: 'PAYMENT_KEY' };
  const sealed = seal(key, here, 'sk_live_1');
  assert.equal(sealed.length, 12 + 9 + 16);
  for (let at = 0; at < sealed.length; at++) {
    const changed = Uint8Array.from(sealed);
    changed[at]! ^= 0xff;
    assert.equal(unseal(key, here, changed), null, `byte ${at}`);
  }
});

test('app and name are two things: no pair reads like another', () => {
  const key = newSealKey();
  const sealed = seal(key, { app: 'a', name: 'b_c' }, 'v');
  for (const [app, name] of [
    ['a","b', 'c'],
    ['a b', '_c'],
    ['', 'ab_c'],
    ['ab_c', ''],
  ]) {
    assert.equal(unseal(key, { app: app!, name: name! }, sealed), null);
  }
});

test('the same value is never sealed the same way, and a key’s id is its own', () => {
  const key = newSealKey();
  const here = { app: 'shop', name: 'A' };
  assert.notDeepEqual(seal(key, here, 'v'), seal(key, here, 'v'));
  assert.match(key.id, /^[0-9a-f]{12}$/);
  assert.equal(sealKey(Buffer.from(key.bytes)).id, key.id);
  assert.ok(!key.bytes.toString('hex').includes(key.id));
});
