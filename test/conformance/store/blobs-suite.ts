import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { hasCode } from './support/has-code.ts';
import { runSql } from './support/run-sql.ts';
import { checksOf, type StoreUnderTest } from './support/store-under-test.ts';
import {
  contentOf,
  digestOf,
  fileOf,
  newApp,
  newRelease,
  putContent,
  readContent,
  streamOf,
} from './support/things.ts';

const MB = 1024 ** 2;
const LATER_MS = 3_600_000;

/** What every store of files must do. */
export function blobsSuite(subject: StoreUnderTest): void {
  const check = checksOf(subject);

  check('blobs: any content of any size, in any chunks, comes back as it was', async ({ blobs }) => {
    const full = process.env['FULCRUM_FULL'] === '1';
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.integer({ min: 0, max: 3 }),
          fc.integer({ min: 100, max: 200 }),
          fc.integer({ min: MB - 2, max: MB + 2 }),
          fc.integer({ min: 0, max: 4 * MB }),
        ),
        fc.integer({ min: 1, max: 2 * MB }),
        fc.boolean(),
        async (sizeBytes, chunkBytes, text) => {
          const content = contentOf(sizeBytes, text);
          await blobs.put(
            content.digest,
            sizeBytes,
            streamOf(content.bytes, Math.max(chunkBytes, sizeBytes >> 10)),
          );
          const back = await readContent(blobs, content.digest);
          assert.equal(Buffer.compare(back!, content.bytes), 0);
        },
      ),
      {
        numRuns: full ? 200 : 20,
        examples: [
          [0, 1, false],
          [20 * MB, 100_000, false],
          [20 * MB, 2 * MB, true],
        ],
      },
    );
  });

  damageSuite(subject);

  check('blobs: pieces are of bounded size, however they came', async ({ blobs }) => {
    const content = contentOf(5 * MB);
    await blobs.put(content.digest, content.bytes.length, streamOf(content.bytes, 5 * MB));
    for await (const piece of (await blobs.get(content.digest))!) assert.ok(piece.length <= MB);
  });

  check('blobs: what is not kept is missing, told once each and in the order asked', async ({ blobs }) => {
    const contents = Array.from({ length: 4 }, () => contentOf(10));
    await putContent(blobs, contents[1]!);
    const digests = contents.map((content) => content.digest);
    assert.deepEqual(await blobs.missing([...digests, digests[0]!]), [digests[0], digests[2], digests[3]]);
    assert.deepEqual(await blobs.missing([]), []);
    assert.equal(await blobs.get(digests[0]!), null);
    const many = Array.from({ length: 12_000 }, (_, i) =>
      createHash('sha256').update(String(i)).digest('hex'),
    );
    assert.equal((await blobs.missing([...many, digests[1]!])).length, 12_000);
  });

  check(
    'blobs: content that is not what it is said to be is refused and leaves nothing',
    async ({ blobs }) => {
      for (const sizeBytes of [100, 3 * MB]) {
        const content = contentOf(sizeBytes);
        const put = (digest: string, size: number, bytes: Uint8Array): Promise<void> =>
          blobs.put(digest, size, streamOf(bytes));
        const other = Uint8Array.from(content.bytes);
        other[sizeBytes - 1]! ^= 1;
        await assert.rejects(
          put(content.digest, sizeBytes, other),
          hasCode('blob-invalid', /has the SHA-256/),
        );
        await assert.rejects(
          put(content.digest, sizeBytes, content.bytes.subarray(1)),
          hasCode('blob-invalid', new RegExp(`has ${sizeBytes - 1} bytes instead of ${sizeBytes}`)),
        );
        await assert.rejects(
          put(content.digest, sizeBytes - 1, content.bytes),
          hasCode('blob-invalid', /has more than/),
        );
        assert.deepEqual(await blobs.missing([content.digest]), [content.digest]);
      }
      await assert.rejects(
        blobs.put('../x', 0, streamOf(new Uint8Array())),
        hasCode('blob-invalid', /no SHA-256/),
      );
    },
  );

  check(
    'blobs: a source that fails half way is told by its own error and leaves nothing',
    async ({ blobs }) => {
      const content = contentOf(4 * MB);
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield content.bytes.subarray(0, 3 * MB);
        throw new Error('the connection broke');
      }
      await assert.rejects(blobs.put(content.digest, content.bytes.length, broken()), /the connection broke/);
      assert.deepEqual(await blobs.missing([content.digest]), [content.digest]);
      await putContent(blobs, content);
      assert.equal(digestOf((await readContent(blobs, content.digest))!), content.digest);
    },
  );

  check(
    'blobs: what is there already is checked all the same, and many may put one at once',
    async ({ blobs }) => {
      for (const sizeBytes of [500, 3 * MB]) {
        const content = contentOf(sizeBytes);
        await Promise.all(Array.from({ length: 6 }, () => putContent(blobs, content)));
        assert.equal(digestOf((await readContent(blobs, content.digest))!), content.digest);
        await assert.rejects(
          blobs.put(content.digest, sizeBytes, streamOf(new Uint8Array(sizeBytes))),
          hasCode('blob-invalid'),
        );
        assert.equal(digestOf((await readContent(blobs, content.digest))!), content.digest);
      }
    },
  );

  check('blobs: what no release names is told in bytes, half an upload too', async (store) => {
    const { blobs, apps, releases } = store;
    const before = await blobs.unnamedBytes();
    const [named, unnamed] = [contentOf(3 * MB), contentOf(1000)];
    for (const content of [named, unnamed]) await putContent(blobs, content);
    assert.equal(await blobs.unnamedBytes(), before + 3 * MB + 1000);
    await apps.create(newApp());
    await releases.add(newRelease([fileOf(named)]));
    assert.equal(await blobs.unnamedBytes(), before + 1000);
    const wrong = contentOf(3 * MB);
    await assert.rejects(
      blobs.put(wrong.digest, 3 * MB, streamOf(new Uint8Array(3 * MB))),
      hasCode('blob-invalid'),
    );
    assert.equal(await blobs.unnamedBytes(), before + 1000 + 3 * MB);
    await blobs.sweep(Date.now() + LATER_MS);
    assert.equal(await blobs.unnamedBytes(), 0);
  });

  check(
    'blobs: a sweep takes what no release names, and only what nobody has asked for since',
    async (store) => {
      const { blobs, apps, releases } = store;
      const [named, old, asked] = [contentOf(2 * MB), contentOf(2 * MB), contentOf(10)];
      for (const content of [named, old, asked]) await putContent(blobs, content);
      await apps.create(newApp());
      const release = await releases.add(newRelease([fileOf(named)]));
      assert.equal(await blobs.sweep(Date.now() - LATER_MS), 0, 'all are new');

      const between = await afterNow();
      await blobs.missing([asked.digest]);
      assert.equal(await blobs.sweep(between), 1);
      assert.deepEqual(await blobs.missing([named.digest, old.digest, asked.digest]), [old.digest]);
      assert.equal(digestOf((await readContent(blobs, named.digest))!), named.digest);

      await releases.remove('shop', release.number);
      assert.equal(await blobs.sweep(Date.now() + LATER_MS), 2);
      assert.deepEqual(await blobs.missing([named.digest, asked.digest]), [named.digest, asked.digest]);
      await putContent(blobs, named);
      assert.equal(digestOf((await readContent(blobs, named.digest))!), named.digest, 'it can be put again');
    },
  );

  check(
    'blobs: sweeps and releases at the same time never leave a release without its files',
    async (store) => {
      const { blobs, apps, releases } = store;
      await apps.create(newApp());
      let refused = 0;
      for (let round = 0; round < 15; round++) {
        const contents = Array.from({ length: 3 }, () => contentOf(200));
        for (const content of contents) await putContent(blobs, content);
        const files = contents.map((content, i) => fileOf(content, `${i}.js`));
        const [added, swept] = await Promise.allSettled([
          releases.add(newRelease(files)),
          blobs.sweep(Date.now() + LATER_MS),
        ]);
        assert.equal(swept.status, 'fulfilled', String((swept as PromiseRejectedResult).reason));
        const missing = await blobs.missing(contents.map((content) => content.digest));
        if (added.status === 'fulfilled') assert.deepEqual(missing, [], 'a release lacks its files');
        else {
          assert.ok(hasCode('blob-invalid')(added.reason));
          refused++;
        }
      }
      assert.ok(refused <= 15);
    },
  );

  check(
    'blobs: an upload that nobody goes on with is swept, and cannot be finished then',
    async ({ blobs }) => {
      const content = contentOf(3 * MB);
      const { promise: swept, resolve: onSwept } = Promise.withResolvers<void>();
      const { promise: halfWay, resolve: onHalfWay } = Promise.withResolvers<void>();
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield content.bytes.subarray(0, 2 * MB);
        yield content.bytes.subarray(2 * MB, 2 * MB + 1);
        onHalfWay();
        await swept;
        yield content.bytes.subarray(2 * MB + 1);
      }
      const put = blobs.put(content.digest, content.bytes.length, slow());
      await halfWay;
      assert.equal(await blobs.sweep(Date.now() + LATER_MS), 0);
      onSwept();
      await assert.rejects(put, hasCode('store-failed', /swept away\. Repeat it/));
      assert.deepEqual(await blobs.missing([content.digest]), [content.digest]);
      await putContent(blobs, content);
      assert.equal(digestOf((await readContent(blobs, content.digest))!), content.digest);
    },
  );
}

const HARMS: readonly [string, number, string][] = [
  ['its only piece is changed', 500, "UPDATE blob_pieces SET encoding = 'zstd'"],
  ['its only piece is gone', 500, 'DELETE FROM blob_pieces'],
  ['its first piece is gone', 3 * MB, 'DELETE FROM blob_pieces WHERE number = 0'],
  ['a piece in the middle is changed', 3 * MB, "UPDATE blob_pieces SET encoding = 'zstd' WHERE number = 1"],
  [
    'a piece in the middle is another',
    3 * MB,
    'UPDATE blob_pieces SET bytes = (SELECT p.bytes FROM blob_pieces p WHERE p.number = 0) WHERE number = 1',
  ],
  ['its last piece is gone', 3 * MB + 1, 'DELETE FROM blob_pieces WHERE number = 3'],
  ['its row tells another size', 3 * MB, 'UPDATE blobs SET size_bytes = 7'],
  ['its row tells fewer pieces', 3 * MB, 'UPDATE blobs SET pieces = 2'],
  ['its row tells more pieces', 3 * MB, 'UPDATE blobs SET pieces = 4'],
];

function damageSuite(subject: StoreUnderTest): void {
  const check = checksOf(subject);
  for (const [harm, sizeBytes, sql] of HARMS) {
    check(
      `blobs: where ${harm}, putting it again puts it right, for releases of before too`,
      async (store, place) => {
        const { blobs, apps, releases } = store;
        const content = contentOf(sizeBytes);
        await putContent(blobs, content);
        await apps.create(newApp());
        await releases.add(newRelease([fileOf(content)]));
        await runSql(place, sql);
        await putContent(blobs, content);
        assert.equal(digestOf((await readContent(blobs, content.digest))!), content.digest);
        assert.deepEqual(await blobs.missing([content.digest]), []);
        // What was damaged goes with a sweep, and nothing else does.
        assert.equal(await blobs.sweep(Date.now() + LATER_MS), 0);
        assert.equal(digestOf((await readContent(blobs, content.digest))!), content.digest);
      },
    );
  }

  check(
    'blobs: one that was found damaged is missing from then on, until it is put again',
    async (store, place) => {
      const { blobs, apps, releases } = store;
      const content = contentOf(3 * MB);
      const other = contentOf(10);
      await putContent(blobs, content);
      await putContent(blobs, other);
      await apps.create(newApp());
      await runSql(place, 'DELETE FROM blob_pieces WHERE number = 1');
      await assert.rejects(
        readContent(blobs, content.digest),
        hasCode('store-failed', /piece 1 of 3 is missing/),
      );
      assert.deepEqual(await blobs.missing([content.digest, other.digest]), [content.digest]);
      await assert.rejects(
        releases.add(newRelease([fileOf(content)])),
        hasCode('blob-invalid', /is not in the store: upload it/),
      );
      // Wrong bytes put nothing right.
      await assert.rejects(
        blobs.put(content.digest, 3 * MB, streamOf(new Uint8Array(3 * MB))),
        hasCode('blob-invalid'),
      );
      assert.deepEqual(await blobs.missing([content.digest]), [content.digest]);
      await Promise.all([putContent(blobs, content), putContent(blobs, content)]);
      assert.deepEqual(await blobs.missing([content.digest]), []);
      await releases.add(newRelease([fileOf(content)]));
      assert.equal(digestOf((await readContent(blobs, content.digest))!), content.digest);
    },
  );

  check('blobs: one that is sound after all is kept again once it is put', async (store, place) => {
    const { blobs } = store;
    const content = contentOf(2 * MB);
    await putContent(blobs, content);
    await runSql(place, 'UPDATE blobs SET damaged = 1');
    assert.deepEqual(await blobs.missing([content.digest]), [content.digest]);
    await putContent(blobs, content);
    assert.deepEqual(await blobs.missing([content.digest]), []);
    assert.equal(digestOf((await readContent(blobs, content.digest))!), content.digest);
  });
}

/** A moment behind all that was done until now, and before all that is done next. */
async function afterNow(): Promise<number> {
  const now = Date.now();
  while (Date.now() <= now + 1) await new Promise((resolve) => setImmediate(resolve));
  return now + 1;
}
