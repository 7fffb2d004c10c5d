import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Release, ReleaseState, ReleaseStore } from '../../model/release.ts';
import { manifest } from '../../release/testing/release.ts';
import { overlap, refuseStorageOverlap } from './storage-overlap.ts';

const storing = (...storage: string[]): Release['manifest'] => ({
  ...manifest(),
  config: { name: 'shop', components: { a: { entry: './hello.ts', storage } } },
});

function kept(...all: readonly (readonly [ReleaseState, ...string[]])[]): ReleaseStore {
  const list = all.map(([state, ...storage], i) => ({ number: i + 1, state, manifest: storing(...storage) }));
  return { list: () => Promise.resolve(list) } as unknown as ReleaseStore;
}

test('one folder inside another, whichever is whose, and however it is written', () => {
  assert.deepEqual(overlap(['data/x'], ['data']), { one: 'data/x', other: 'data' });
  assert.deepEqual(overlap(['data'], ['a', 'data/x/y']), { one: 'data', other: 'data/x/y' });
  assert.deepEqual(overlap(['DATA/x'], ['data']), { one: 'DATA/x', other: 'data' });
  assert.equal(overlap(['data', 'data-x', 'x/data'], ['data', 'dat', 'y']), null);
});

test('a release is refused whose storage meets that of one that is kept or lives', async () => {
  const inner = storing('./data/x');
  await assert.rejects(refuseStorageOverlap(kept(['healthy', 'data']), 'shop', inner, []), {
    code: 'manifest-invalid',
    message: /store in 'data\/x', and those of release 1, which is kept, in 'data'/,
  });
  await assert.rejects(refuseStorageOverlap(kept(['healthy'], ['healthy', 'data/x/y']), 'shop', inner, []), {
    code: 'manifest-invalid',
  });
  const failed = kept(['failed', 'data']);
  await refuseStorageOverlap(failed, 'shop', inner, []);
  await assert.rejects(refuseStorageOverlap(failed, 'shop', inner, [{ number: 1 }]), {
    code: 'manifest-invalid',
  });
  await refuseStorageOverlap(kept(['healthy', 'data/x'], ['healthy', 'other']), 'shop', inner, []);
});
