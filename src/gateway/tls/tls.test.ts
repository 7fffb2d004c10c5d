import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as plainConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { WebSocket, WebSocketServer } from 'ws';
import type { IncomingMessage } from 'node:http';
import type { TestContext } from 'node:test';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { FakeClock } from '../../base/fake-clock.ts';
import { answering, OK } from '../testing/fake-instance.ts';
import { gatewayFixture, RawClient } from '../testing/gateway-fixture.ts';
import { writeCertificate } from '../testing/test-certificate.ts';
import type { RequestHead } from '../../model/http.ts';
import type { GatewayFixture } from '../testing/gateway-fixture.ts';
import type { TestCertificate, TestCertificateOptions } from '../testing/test-certificate.ts';

const NAMES: readonly TestCertificateOptions[] = [
  { names: ['first.test'] },
  { names: ['a.test'] },
  { names: ['*.b.test'] },
];

interface Scene {
  readonly fixture: GatewayFixture;
  readonly port: number;
  readonly directory: string;
  readonly certificates: readonly TestCertificate[];
  /** A connection whose handshake is over; rejects where that fails. */
  secure(options?: ConnectionOptions): Promise<TLSSocket>;
}

async function scene(t: TestContext): Promise<Scene> {
  const fixture = await gatewayFixture(t);
  fixture.runs('shop', ['/*'], answering(200, [], 'ok'));
  const directory = await mkdtemp(join(tmpdir(), 'tls-'));
  t.after(() => rm(directory, { recursive: true }));
  const certificates = await Promise.all(NAMES.map((options) => writeCertificate(directory, options)));
  const { port, url } = await fixture.gateway.listenTls({
    at: { port: 0, host: '127.0.0.1' },
    certificates: certificates.map(({ certPath, keyPath }) => ({ certPath, keyPath, hosts: null })),
    hsts: { maxAgeS: 60, includeSubDomains: true, preload: false },
  });
  assert.equal(url, `https://127.0.0.1:${port}`);
  const secure = async (options: ConnectionOptions = {}): Promise<TLSSocket> => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    t.after(() => void socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  };
  return { fixture, port, directory, certificates, secure };
}

const GET = 'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n';

const SHOWN: [string, string | undefined][] = [
  ['first.test', undefined],
  ['first.test', 'other.test'],
  ['a.test', 'a.test'],
  ['a.test', 'A.Test'],
  ['*.b.test', 'x.b.test'],
  ['first.test', 'b.test'],
];
test('each host is shown its own certificate; whoever names none, or another, the first', async (t) => {
  const { secure } = await scene(t);
  for (const [name, servername] of SHOWN) {
    const socket = await secure(servername === undefined ? {} : { servername });
    assert.equal(socket.getPeerCertificate().subject.CN, name, servername ?? 'none');
    socket.destroy();
  }
});

test('a client that checks takes it', async (t) => {
  const { certificates, secure } = await scene(t);
  const socket = await secure({ servername: 'a.test', ca: certificates[1]!.cert, rejectUnauthorized: true });
  assert.equal(socket.authorized, true);
});

test('what is spoken: HTTP/2 where the client can, else HTTP/1.1; nothing else', async (t) => {
  const { secure } = await scene(t);
  const spoken = async (ALPNProtocols?: string[]): Promise<string | false | null> => {
    const socket = await secure(ALPNProtocols === undefined ? {} : { ALPNProtocols });
    return socket.alpnProtocol;
  };
  assert.equal(await spoken(['http/1.1', 'h2']), 'h2');
  assert.equal(await spoken(['http/1.1']), 'http/1.1');
  assert.equal(await spoken(), false);
  await assert.rejects(spoken(['smtp']), /no application protocol/i);
});

test('HTTP/1.1 over TLS goes the same way, with the scheme told, and HSTS', async (t) => {
  const { fixture, secure } = await scene(t);
  const heads: RequestHead[] = [];
  fixture.runs('shop', ['/*'], {
    http: ({ head, response }) => {
      heads.push(head);
      response.head({ status: 200, headers: [] });
      response.end();
      return Promise.resolve(OK);
    },
  });
  const client = new RawClient(await secure({ servername: 'a.test' }));
  client.socket.write(GET);
  const answer = await client.rest();
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/);
  assert.match(answer, /\r\nStrict-Transport-Security: max-age=60; includeSubDomains\r\n/);
  assert.equal(heads[0]!.url, 'https://a.test/');
  assert.ok(heads[0]!.fields!.includes('X-Forwarded-Proto\0https'));
});

test('nothing older than TLS 1.2, and no suite without forward secrecy', async (t) => {
  const { secure } = await scene(t);
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
  await assert.rejects(secure(old));
  await assert.rejects(secure({ maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:AES128-GCM-SHA256' }));
  assert.equal((await secure({ maxVersion: 'TLSv1.2' })).getProtocol(), 'TLSv1.2');
  assert.equal((await secure()).getProtocol(), 'TLSv1.3');
});

test('a session is taken up again, without a handshake in full', async (t) => {
  const { secure } = await scene(t);
  const first = await secure({ maxVersion: 'TLSv1.2', servername: 'a.test' });
  const session = first.getSession()!;
  const second = await secure({ maxVersion: 'TLSv1.2', servername: 'a.test', session });
  assert.equal(second.isSessionReused(), true);
});

test('certificates are loaded again while clients are served: open connections stay, new ones are shown the new', async (t) => {
  const { fixture, directory, secure } = await scene(t);
  const before = await secure({ servername: 'a.test' });
  const client = new RawClient(before);
  const printOf = (socket: TLSSocket): string => socket.getPeerCertificate().fingerprint256;
  const old = [printOf(before), printOf(await secure())];
  for (const options of NAMES.slice(0, 2)) await writeCertificate(directory, options);
  await fixture.gateway.reloadCertificates();
  const now = [printOf(await secure({ servername: 'a.test' })), printOf(await secure())];
  assert.ok(now[0] !== old[0] && now[1] !== old[1]);
  client.socket.write(GET);
  assert.match(await client.rest(), /200 OK/);
});

test('a handshake that does not get on is given up, and counts as a connection until then', async (t) => {
  const fixture = await gatewayFixture(t, { limits: { headersTimeoutMs: 100 } });
  const { port } = await fixture.listenTls(t);
  const socket = plainConnect(port, '127.0.0.1');
  await once(socket, 'connect');
  await fixture.connected(1);
  await once(socket, 'close');
  await fixture.connected(0);
});

test('what is no TLS is cut off, and whoever leaves in the middle is forgotten', async (t) => {
  const { fixture, port } = await scene(t);
  const wrong = new RawClient(plainConnect(port, '127.0.0.1'));
  wrong.socket.write(GET);
  assert.doesNotMatch(await wrong.rest(), /HTTP/);
  const leaves = plainConnect(port, '127.0.0.1');
  await once(leaves, 'connect');
  leaves.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
  await fixture.connected(1);
  leaves.destroy();
  await fixture.connected(0);
});

test('one address may open no more connections than elsewhere', async (t) => {
  const fixture = await gatewayFixture(t, { limits: { maxConnectionsPerClient: 2 } });
  const { port } = await fixture.listenTls(t);
  const open = Array.from({ length: 3 }, () => plainConnect(port, '127.0.0.1'));
  await once(open[2]!, 'close');
  assert.deepEqual(
    open.map(({ destroyed }) => destroyed),
    [false, false, true],
  );
  for (const socket of open) socket.destroy();
});

test('a WebSocket over TLS', async (t) => {
  const { fixture, port } = await scene(t);
  const server = new WebSocketServer({ noServer: true });
  fixture.runs('chat', ['/chat'], {
    upgrade: async ({ head, socket, early }) => {
      const headers: Record<string, string> = {};
      for (let i = 0; i < head.headers.length; i += 2) {
        headers[head.headers[i]!.toLowerCase()] = head.headers[i + 1]!;
      }
      const request = { method: 'GET', headers } as unknown as IncomingMessage;
      server.handleUpgrade(request, socket, Buffer.from(early), (ws) => {
        ws.on('message', (data: Buffer) => ws.send(data));
      });
      await once(socket, 'close');
      return OK;
    },
  });
  const client = new WebSocket(`wss://127.0.0.1:${port}/chat`, { rejectUnauthorized: false });
  await once(client, 'open');
  const big = 'x'.repeat(300_000);
  client.send(big);
  const [data] = (await once(client, 'message')) as [Buffer];
  assert.equal(data.toString(), big);
  client.close();
  const [line] = await fixture.logged(1);
  assert.deepEqual([line!.component, line!.fields!['status']], ['chat', 101]);
});

test('a certificate that cannot be used: nothing listens', async (t) => {
  const fixture = await gatewayFixture(t, { clock: new FakeClock() });
  const files = { certPath: '/nowhere/c.pem', keyPath: '/nowhere/k.pem', hosts: null };
  const at = { port: 0, host: '127.0.0.1' };
  await assert.rejects(fixture.gateway.listenTls({ at, certificates: [files], hsts: null }), {
    code: 'certificate-invalid',
  });
  assert.deepEqual(
    fixture.gateway.listening.map(({ kind }) => kind),
    ['http'],
  );
});

const run = promisify(execFile);
const curl = await run('curl', ['--version']).then(
  ({ stdout }) => (stdout.includes('HTTP2') ? true : 'this curl speaks no HTTP/2'),
  () => 'there is no curl here',
);

for (const [option, version] of [
  ['--http2', '2'],
  ['--http1.1', '1.1'],
] as const) {
  test(`curl ${option}`, { skip: curl === true ? false : curl }, async (t) => {
    const { certificates, port, directory } = await scene(t);
    const url = `https://a.test:${port}/`;
    const resolve = ['--resolve', `a.test:${port}:127.0.0.1`, '--cacert', certificates[1]!.certPath];
    const shown = ['-o', join(directory, 'body'), '-w', '%{http_version} %{response_code} %{size_download}'];
    const data = ['--data-binary', 'x'.repeat(50_000)];
    const { stdout } = await run('curl', ['-sS', option, ...resolve, ...shown, ...data, url]);
    assert.equal(stdout, `${version} 200 2`);
  });
}
