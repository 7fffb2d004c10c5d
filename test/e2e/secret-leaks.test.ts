import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { LeakSearch, secretMarker } from './support/secret-leaks.ts';

suite('the search for leaked secrets finds what it should', () => {
  const secret = secretMarker();
  const around = Buffer.concat([Buffer.from('{"a":"'), Buffer.from(secret), Buffer.from('"} and more')]);
  const page = (bytes: Uint8Array): Buffer =>
    Buffer.concat([Buffer.alloc(100, 7), bytes, Buffer.alloc(50, 9)]);
  const HIDDEN: [string, Buffer][] = [
    ['as it is', around],
    ['reversed', Buffer.from([...around].reverse())],
    ['in UTF-16', Buffer.from(around.toString(), 'utf16le')],
    ['in hex', Buffer.from(around.toString('hex'))],
    ['in base64, any alignment', Buffer.from(around.toString('base64'))],
    ['in base64, another', Buffer.from(Buffer.concat([Buffer.from('x'), around]).toString('base64'))],
    ['in base64url, another', Buffer.from(Buffer.concat([Buffer.from('xy'), around]).toString('base64url'))],
    ['in gzip', gzipSync(around)],
    ['in zlib', deflateSync(around)],
    ['in zstd', zstdCompressSync(around)],
    ['in brotli', brotliCompressSync(around)],
    ['in gzip within a page', page(gzipSync(around))],
    ['in zlib within a page', page(deflateSync(around))],
    ['in zstd within a page', page(zstdCompressSync(around))],
  ];
  for (const [what, bytes] of HIDDEN) {
    test(what, () => {
      const search = new LeakSearch(secret);
      search.bytes('it', bytes);
      assert.notDeepEqual(search.found, []);
      const other = new LeakSearch(secretMarker());
      other.bytes('it', bytes);
      assert.deepEqual(other.found, []);
    });
  }

  test('in files, their names, and answers', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'fulcrum-leaks-'));
    t.after(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, 'innocent'), 'nothing');
    const search = new LeakSearch(secret);
    await search.folder(folder);
    assert.deepEqual([search.found.length, search.lookedAt], [0, 2]);
    await writeFile(join(folder, secret), around);
    await search.folder(folder);
    assert.equal(search.found.length, 2);
    const answers: Record<string, unknown> = {
      '/v1/openapi.json': {
        paths: {
          '/v1/apps': { get: {} },
          '/v1/apps/{app}': { get: {}, delete: {} },
          '/v1/stop': { post: {} },
        },
      },
      '/v1/apps': [{ id: 'shop' }],
      '/v1/apps/shop': { told: secret },
    };
    const api = new LeakSearch(secret);
    await api.api((path) => Promise.resolve(JSON.stringify(answers[path])));
    assert.deepEqual(api.found, ['GET /v1/apps/shop (plain)']);
  });
});
