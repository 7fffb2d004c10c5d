import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test, type TestContext } from 'node:test';
import { FulcrumError } from '../../base/errors.ts';
import type { BlobSource } from '../../release/packing/hash-files.ts';
import { takeBlobs } from '../../release/take-blobs.ts';
import { FolderBlobs } from '../../release/testing/folders.ts';
import { sha256 } from '../../release/testing/release.ts';
import { uploadBlobs, type UploadProgress } from './upload-blobs.ts';

type Client = Parameters<typeof uploadBlobs>[0];
const NO_WAITS = [0, 0, 0, 0];

function setting(t: TestContext, contents: readonly (string | Buffer)[]) {
  const directory = mkdtempSync(join(tmpdir(), 'fulcrum-upload-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const sources = new Map<string, BlobSource>();
  for (const [i, content] of contents.entries()) {
    const source = join(directory, `f${i}`);
    writeFileSync(source, content);
    sources.set(sha256(content), { path: `f${i}`, source, sizeBytes: Buffer.byteLength(content) });
  }
  const blobs = new FolderBlobs(join(directory, 'blobs'));
  const uploads: number[] = [];
  const client: Client = {
    post: async <T>(path: string, body: unknown) => {
      assert.equal(path, '/blobs/missing');
      return { missing: await blobs.missing((body as { digests: string[] }).digests) } as T;
    },
    upload: async <T>(path: string, content: AsyncIterable<Uint8Array>) => {
      assert.equal(path, '/blobs');
      const { stored } = await takeBlobs(content, blobs);
      uploads.push(stored);
      return { stored } as T;
    },
  };
  return { sources, blobs, client, uploads };
}

const cut = (): FulcrumError =>
  new FulcrumError('server-unreachable', 'The server does not answer (ECONNRESET).');

/** The same client, whose connection is cut after so many bytes of each upload that `cuts` has a number for. */
function cutting(client: Client, cuts: number[]): Client {
  return {
    ...client,
    upload: <T>(path: string, content: AsyncIterable<Uint8Array>) => {
      const limit = cuts.shift();
      if (limit === undefined) return client.upload<T>(path, content);
      return client.upload<T>(
        path,
        (async function* () {
          let bytes = 0;
          for await (const piece of content) {
            bytes += piece.length;
            if (bytes > limit) throw cut();
            yield piece;
          }
        })(),
      );
    },
  };
}

void suite('uploadBlobs', () => {
  void test('sends what is missing and nothing else, and tells how far it is', async (t) => {
    const { sources, blobs, client } = setting(t, ['a', 'b', 'c'.repeat(100_000)]);
    await blobs.add('a');
    const told: UploadProgress[] = [];
    const done = await uploadBlobs(client, sources, (progress) => told.push(progress), NO_WAITS);
    assert.deepEqual(blobs.puts.toSorted(), [sha256('b'), sha256('c'.repeat(100_000))].toSorted());
    assert.deepEqual(done, { files: 2, totalBytes: 100_001, sentBytes: 100_001, retries: 0 });
    assert.deepEqual(told[0], { files: 2, totalBytes: 100_001, sentBytes: 0, retries: 0 });
    assert.ok(
      told.every(({ sentBytes }, i) => sentBytes >= (told[i - 1]?.sentBytes ?? 0) && sentBytes <= 100_001),
    );
    assert.equal((await uploadBlobs(client, sources, () => undefined, NO_WAITS)).files, 0);
  });

  void test('large uploads go in several requests', async (t) => {
    const { sources, client, uploads } = setting(
      t,
      Array.from({ length: 5 }, (_, i) => Buffer.alloc(3 * 1024 ** 2, String(i))),
    );
    await uploadBlobs(client, sources, () => undefined, NO_WAITS);
    assert.deepEqual(uploads, [2, 2, 1]);
  });

  void test('many files go in several requests', async (t) => {
    const { sources, client, uploads } = setting(
      t,
      Array.from({ length: 1_500 }, (_, i) => String(i)),
    );
    await uploadBlobs(client, sources, () => undefined, NO_WAITS);
    assert.deepEqual(uploads, [1_000, 500]);
  });

  void test('a connection that is cut is taken up where it broke: what arrived is not sent again', async (t) => {
    const contents = Array.from({ length: 20 }, (_, i) => String(i).repeat(5_000));
    const { sources, blobs, client } = setting(t, contents);
    const done = await uploadBlobs(cutting(client, [30_000, 40_000]), sources, () => undefined, NO_WAITS);
    assert.equal(done.retries, 2);
    assert.equal(blobs.puts.length, 20, 'each was kept once');
  });

  void test('it gives up when nothing arrives any more', async (t) => {
    const { sources, client } = setting(t, ['x'.repeat(10_000)]);
    const cuts = Array.from({ length: 10 }, () => 100);
    await assert.rejects(
      uploadBlobs(cutting(client, cuts), sources, () => undefined, NO_WAITS),
      { code: 'server-unreachable' },
    );
    assert.equal(cuts.length, 5, 'five tries in all');
  });

  void test('as long as something arrives it goes on', async (t) => {
    const contents = Array.from({ length: 12 }, (_, i) => String(i).repeat(20_000));
    const { sources, blobs, client } = setting(t, contents);
    const done = await uploadBlobs(
      cutting(
        client,
        Array.from({ length: 5 }, () => 50_000),
      ),
      sources,
      () => undefined,
      NO_WAITS,
    );
    assert.equal(done.retries, 5, 'more often than it would without anything new');
    assert.equal(blobs.puts.length, 12);
  });

  void test('what the server refuses is not tried again, and a file that changed neither', async (t) => {
    const { sources, client } = setting(t, ['a']);
    let tries = 0;
    const refusing: Client = {
      ...client,
      upload: () => {
        tries += 1;
        return Promise.reject(new FulcrumError('store-failed', 'The disk is full.'));
      },
    };
    await assert.rejects(
      uploadBlobs(refusing, sources, () => undefined, NO_WAITS),
      { code: 'store-failed' },
    );
    assert.equal(tries, 1);
    writeFileSync([...sources.values()][0]!.source, 'b');
    await assert.rejects(
      uploadBlobs(client, sources, () => undefined, NO_WAITS),
      { code: 'package-failed' },
    );
  });
});
