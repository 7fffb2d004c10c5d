import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UploadQuota } from './upload-quota.ts';

/** A store that knows of what has come whole; `named` of it has got a release. */
class Kept {
  bytes = 0;
  asked = 0;
  hold: Promise<void> = Promise.resolve();

  async put(_digest: string, sizeBytes: number): Promise<void> {
    await this.hold;
    this.bytes += sizeBytes;
  }

  unnamedBytes(): Promise<number> {
    this.asked += 1;
    return Promise.resolve(this.bytes);
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

test('uploads that no release uses are bounded, and room comes back with releases', async () => {
  const kept = new Kept();
  const quota = new UploadQuota(kept, () => Promise.resolve(Infinity), 100);
  for (let i = 0; i < 10; i++) await quota.put('d', 10, nothing());
  assert.equal(kept.asked, 1, 'the store is asked only where it may be too much');
  await assert.rejects(quota.put('d', 1, nothing()), {
    code: 'store-failed',
    message: /no room for more uploads/,
  });
  kept.bytes = 50;
  await quota.put('d', 50, nothing());
  await assert.rejects(quota.put('d', 1, nothing()), { code: 'store-failed' });
  assert.equal(kept.bytes, 100);
});

test('what is still on its way counts, also while the store is asked', async () => {
  const kept = new Kept();
  const quota = new UploadQuota(kept, () => Promise.resolve(Infinity), 100);
  const gate = Promise.withResolvers<void>();
  kept.hold = gate.promise;
  const many = Array.from({ length: 30 }, () => quota.put('d', 10, nothing()));
  const settled = Promise.allSettled(many);
  await assert.rejects(many.at(-1)!, { code: 'store-failed' });
  gate.resolve();
  assert.equal((await settled).filter(({ status }) => status === 'fulfilled').length, 10);
  assert.equal(kept.bytes, 100);
});

test('a disk that is all but full takes no more: what is on it could not be deleted', async () => {
  const kept = new Kept();
  let free = 8 * 1024 ** 2 + 20;
  const quota = new UploadQuota(kept, () => Promise.resolve(free));
  await quota.put('d', 10, nothing());
  free -= 1;
  await assert.rejects(quota.put('d', 10, nothing()), { code: 'store-failed', message: /all but full/ });
  assert.equal(kept.bytes, 10);
});
