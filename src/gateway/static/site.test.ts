import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdir,
  mkdtemp,
  readdir,
  readlink,
  rm,
  symlink,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { gatewayFixture } from '../testing/gateway-fixture.ts';
import type { GatewayFixture } from '../testing/gateway-fixture.ts';

const CSS = 'body { color: teal }\n'.repeat(20);
const CHANGED = new Date('2026-03-04T05:06:07.500Z');

async function site(t: TestContext): Promise<{ fixture: GatewayFixture; root: string; directory: string }> {
  const root = await mkdtemp(join(tmpdir(), 'fulcrum-static-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const directory = join(root, 'public');
  await mkdir(join(directory, 'docs'), { recursive: true });
  await mkdir(join(directory, 'empty'));
  await mkdir(join(root, 'public-not'));
  const files: [string, string | Buffer][] = [
    ['public/app.css', CSS],
    ['public/plain.js', 'export {}'],
    ['public/app.css.br', brotliCompressSync(CSS)],
    ['public/app.css.gz', gzipSync(CSS)],
    ['public/app.css.zst', zstdCompressSync(CSS)],
    ['public/digits', '0123456789'],
    ['public/nothing.txt', ''],
    ['public/caf\u00e9 x.txt', 'coffee'],
    ['public/docs/index.html', '<h1>docs</h1>'],
    ['public/.env', 'SECRET=1'],
    ['secret.txt', 'SECRET=1'],
    ['public-not/secret.txt', 'SECRET=1'],
  ];
  for (const [name, content] of files) await writeFile(join(root, name), content);
  await utimes(join(directory, 'digits'), CHANGED, CHANGED);
  await symlink('app.css', join(directory, 'inside.css'));
  await symlink('../secret.txt', join(directory, 'outside.txt'));
  await symlink('..', join(directory, 'up'));
  await symlink('loop', join(directory, 'loop'));
  const fixture = await gatewayFixture(t);
  fixture.serves('assets', ['/assets/*', '/digits'], directory);
  return { fixture, root, directory };
}

test('serves a file below its route, with what caches need', async (t) => {
  const { fixture } = await site(t);
  const response = await fetch(`${fixture.url}/assets/app.css`, {
    headers: { 'accept-encoding': 'identity' },
  });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), CSS);
  const fields = Object.fromEntries(response.headers);
  assert.deepEqual(
    [fields['content-type'], fields['content-length'], fields['cache-control'], fields['accept-ranges']],
    ['text/css; charset=utf-8', String(CSS.length), 'public, max-age=60', 'bytes'],
  );
  assert.deepEqual([fields['vary'], fields['x-content-type-options']], ['Accept-Encoding', 'nosniff']);
  assert.match(fields['etag'] ?? '', /^"[^"]+"$/);
  assert.match(fields['x-request-id'] ?? '', /^r_/);
  const [line] = await fixture.logged(1);
  assert.deepEqual(
    [line!.component, line!.fields!['bytesOut'], line!.fields!['cold']],
    ['assets', CSS.length, false],
  );
  assert.equal(fixture.dispatcher.ran.length, 0);
});

test('an exact route serves the file of that path', async (t) => {
  const { fixture } = await site(t);
  const response = await fetch(`${fixture.url}/digits`);
  assert.deepEqual(
    [response.headers.get('content-type'), await response.text()],
    ['application/octet-stream', '0123456789'],
  );
});

test('HEAD tells the same and sends nothing; other methods are 405', async (t) => {
  const { fixture } = await site(t);
  const head = await fetch(`${fixture.url}/assets/app.css`, {
    method: 'HEAD',
    headers: { 'accept-encoding': 'identity' },
  });
  assert.deepEqual([head.status, head.headers.get('content-length')], [200, String(CSS.length)]);
  const post = await fetch(`${fixture.url}/assets/app.css`, { method: 'POST', body: 'x' });
  assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD']);
  assert.match(await post.text(), /method-not-allowed/);
});

test('names are decoded once', async (t) => {
  const { fixture } = await site(t);
  assert.equal(await (await fetch(`${fixture.url}/assets/caf%C3%A9%20x.txt`)).text(), 'coffee');
});

test('a folder: its index, after a redirect that keeps the query', async (t) => {
  const { fixture } = await site(t);
  const bare = await fetch(`${fixture.url}/assets/docs?a=b`, { redirect: 'manual' });
  assert.deepEqual([bare.status, bare.headers.get('location')], [308, '/assets/docs/?a=b']);
  const index = await fetch(`${fixture.url}/assets/docs/`);
  assert.deepEqual(
    [index.headers.get('content-type'), await index.text()],
    ['text/html; charset=utf-8', '<h1>docs</h1>'],
  );
  const root = await fetch(`${fixture.url}/assets`, { redirect: 'manual' });
  assert.equal(root.headers.get('location'), '/assets/');
});

const ABSENT = [
  ...[
    '/assets/no.css',
    '/assets/',
    '/assets/empty/',
    '/assets/app.css/',
    '/assets/app.css/x',
    '/assets/.env',
  ],
  ...['/assets/..%2fsecret.txt', '/assets/%2e%2e%2fsecret.txt', '/assets/..%5csecret.txt', '/assets/%00'],
  ...['/assets/outside.txt', '/assets/up/secret.txt', '/assets/up/public-not/secret.txt', '/assets/loop'],
  ...['/assets/..%2fpublic-not%2fsecret.txt', '/assets//etc/passwd', '/assets/docs//', '/assets/%ff'],
  ...[`/assets/${'x'.repeat(300)}`, '/assets/%252e%252e/secret.txt'],
];
for (const path of ABSENT) {
  test(`${path.slice(0, 60)} is 404`, async (t) => {
    const { fixture } = await site(t);
    const text = await fixture.raw(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    assert.match(text, /^HTTP\/1\.1 404 /);
    assert.doesNotMatch(text, /SECRET|root:/);
  });
}

test('dot segments that are not encoded are resolved before a route is looked for', async (t) => {
  const { fixture } = await site(t);
  for (const path of ['/assets/../secret.txt', '/assets/docs/../../secret.txt', '/assets\\..\\secret.txt']) {
    const text = await fixture.raw(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    assert.match(text, /^HTTP\/1\.1 404 [^]*route-not-found/);
  }
  assert.equal((await fetch(`${fixture.url}/assets/docs/../digits`)).status, 200);
});

test('a link that stays inside is followed', async (t) => {
  const { fixture } = await site(t);
  assert.equal(await (await fetch(`${fixture.url}/assets/inside.css`)).text(), CSS);
});

test('a pipe or a socket in the folder is no file, and holds nothing up', async (t) => {
  const { fixture, directory } = await site(t);
  execFileSync('mkfifo', [join(directory, 'pipe')]);
  assert.equal((await fetch(`${fixture.url}/assets/pipe`)).status, 404);
});

test('what the client has already is 304: by entity tag, else by date', async (t) => {
  const { fixture } = await site(t);
  const url = `${fixture.url}/assets/digits`;
  const first = await fetch(url);
  const etag = first.headers.get('etag')!;
  assert.equal(first.headers.get('last-modified'), 'Wed, 04 Mar 2026 05:06:07 GMT');
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await fetch(url, { headers })).status;
  assert.equal(await status({ 'if-none-match': etag }), 304);
  assert.equal(await status({ 'if-none-match': `"other", W/${etag}` }), 304);
  assert.equal(await status({ 'if-none-match': '*' }), 304);
  assert.equal(await status({ 'if-none-match': '"other"' }), 200);
  assert.equal(await status({ 'if-modified-since': 'Wed, 04 Mar 2026 05:06:07 GMT' }), 304);
  assert.equal(await status({ 'if-modified-since': 'Wed, 04 Mar 2026 05:06:06 GMT' }), 200);
  assert.equal(await status({ 'if-modified-since': 'nonsense' }), 200);
  const both = { 'if-none-match': '"other"', 'if-modified-since': 'Wed, 04 Mar 2026 05:06:07 GMT' };
  assert.equal(await status(both), 200, 'the tag decides');
  const kept = await fetch(url, { headers: { 'if-none-match': etag } });
  assert.deepEqual(
    [kept.headers.get('etag'), kept.headers.get('cache-control'), await kept.text()],
    [etag, 'public, max-age=60', ''],
  );
});

test('a range: the part, the whole, or 416', async (t) => {
  const { fixture } = await site(t);
  const url = `${fixture.url}/assets/digits`;
  const etag = (await fetch(url)).headers.get('etag')!;
  const get = async (headers: Record<string, string>): Promise<[number, string | null, string]> => {
    const response = await fetch(url, { headers });
    return [response.status, response.headers.get('content-range'), await response.text()];
  };
  assert.deepEqual(await get({ range: 'bytes=2-4' }), [206, 'bytes 2-4/10', '234']);
  assert.deepEqual(await get({ range: 'bytes=-2' }), [206, 'bytes 8-9/10', '89']);
  assert.deepEqual(await get({ range: 'bytes=0-1,4-5' }), [200, null, '0123456789']);
  assert.deepEqual(await get({ range: 'bytes=2-4', 'if-range': etag }), [206, 'bytes 2-4/10', '234']);
  assert.deepEqual(await get({ range: 'bytes=2-4', 'if-range': `W/${etag}` }), [200, null, '0123456789']);
  const date = 'Wed, 04 Mar 2026 05:06:07 GMT';
  assert.deepEqual(await get({ range: 'bytes=2-4', 'if-range': date }), [206, 'bytes 2-4/10', '234']);
  const [status, range, text] = await get({ range: 'bytes=10-' });
  assert.deepEqual([status, range], [416, 'bytes */10']);
  assert.match(text, /range-not-satisfiable/);
  const empty = await fetch(`${fixture.url}/assets/nothing.txt`);
  assert.deepEqual([empty.status, empty.headers.get('content-length'), await empty.text()], [200, '0', '']);
});

const CODED: [string, string | null][] = [
  ['br, gzip, zstd', 'br'],
  ['gzip', 'gzip'],
  ['zstd;q=1, br;q=0.5', 'zstd'],
  ['identity', null],
  ['br;q=0', null],
];
for (const [accepts, coding] of CODED) {
  test(`a compressed sibling for Accept-Encoding: ${accepts} → ${coding ?? 'none'}`, async (t) => {
    const { fixture } = await site(t);
    const response = await fetch(`${fixture.url}/assets/app.css`, {
      headers: { 'accept-encoding': accepts },
    });
    assert.equal(response.headers.get('content-encoding'), coding);
    assert.equal(response.headers.get('content-type'), 'text/css; charset=utf-8');
    assert.equal(response.headers.get('vary'), 'Accept-Encoding');
    assert.equal(await response.text(), CSS);
  });
}

test('each coding has an entity tag of its own; without a sibling the file goes as it is', async (t) => {
  const { fixture } = await site(t);
  const tags = await Promise.all(
    ['br', 'gzip', 'zstd', 'identity'].map(async (accepts) => {
      const response = await fetch(`${fixture.url}/assets/app.css`, {
        headers: { 'accept-encoding': accepts },
      });
      await response.arrayBuffer();
      return response.headers.get('etag');
    }),
  );
  assert.equal(new Set(tags).size, 4);
  const plain = await fetch(`${fixture.url}/assets/plain.js`, { headers: { 'accept-encoding': 'br' } });
  assert.deepEqual([plain.headers.get('content-encoding'), await plain.text()], [null, 'export {}']);
});

test(
  'a file that shrinks while it is sent: the connection is cut',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const { fixture, directory } = await site(t);
    const path = join(directory, 'big.bin');
    await writeFile(path, Buffer.alloc(64 * 1024 * 1024));
    const client = await fixture.connect();
    client.socket.pause();
    client.socket.write('GET /assets/big.bin HTTP/1.1\r\nHost: a\r\n\r\n');
    await openFiles('big.bin', 1);
    await truncate(path, 0);
    client.socket.resume();
    const text = await client.rest();
    assert.match(text, /Content-Length: 67108864/);
    assert.ok(text.length < 64 * 1024 * 1024);
    assert.equal((await fixture.logged(1))[0]!.fields!['error'], 'bad-response');
  },
);

test(
  'a client that leaves in the middle leaves no file open',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const { fixture, directory } = await site(t);
    await writeFile(join(directory, 'big.bin'), Buffer.alloc(64 * 1024 * 1024));
    for (let n = 0; n < 5; n++) {
      const client = await fixture.connect();
      client.socket.pause();
      client.socket.write('GET /assets/big.bin HTTP/1.1\r\nHost: a\r\n\r\n');
      await openFiles('big.bin', 1);
      client.socket.destroy();
      await openFiles('big.bin', 0);
    }
    const lines = await fixture.logged(5);
    assert.ok(lines.every((line) => Number(line.fields!['bytesOut']) < 64 * 1024 * 1024));
  },
);

test('requests of every kind leave no file open', { skip: process.platform !== 'linux' }, async (t) => {
  const { fixture, directory } = await site(t);
  for (const path of [
    '/app.css',
    '/docs',
    '/docs/',
    '/empty/',
    '/app.css/',
    '/no',
    '/outside.txt',
    '/digits',
  ]) {
    for (const headers of [{}, { range: 'bytes=99-' }, { 'if-none-match': '*' }] as Record<
      string,
      string
    >[]) {
      const response = await fetch(`${fixture.url}/assets${path}`, { headers, redirect: 'manual' });
      await response.arrayBuffer();
    }
  }
  await openFiles(directory, 0);
});

/** Waits until this process has `count` open files with `part` in their path. */
async function openFiles(part: string, count: number): Promise<void> {
  if (process.platform !== 'linux') return;
  for (;;) {
    const links = await Promise.all(
      (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
    );
    if (links.filter((link) => link.includes(part)).length === count) return;
    await new Promise((resolve) => void setImmediate(resolve));
  }
}
