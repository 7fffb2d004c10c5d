import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { connect as http2Connect } from 'node:http2';
import { request } from 'node:https';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { test } from 'node:test';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { writeCertificate } from '../../src/gateway/testing/test-certificate.ts';
import { appFolder } from './support/app-folder.ts';
import { isolatedEnv } from './support/fulcrum-process.ts';
import { dataFolder, ServerProcess } from './support/server-process.ts';

const HOST = 'secure.test';

/** The redirecting door says nowhere which port it has: it is given one that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly location: string | undefined;
  /** Of the certificate that was shown; empty where it was not encrypted. */
  readonly fingerprint: string;
}

async function answerTo(sent: ReturnType<typeof request>): Promise<Answer> {
  sent.end();
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const socket: Partial<TLSSocket> = answer.socket as Socket & Partial<TLSSocket>;
  const fingerprint = socket.getPeerCertificate?.().fingerprint256 ?? '';
  const { statusCode, headers } = answer;
  return { status: statusCode!, text: await textOf(answer), location: headers.location, fingerprint };
}

test('a server with certificates answers by HTTP/1.1 and HTTP/2, sends others there, and takes new certificates', async (t) => {
  const data = dataFolder(t);
  const shown = await writeCertificate(dataFolder(t), { names: [HOST] });
  const plainPort = await freePort();
  const server = await ServerProcess.start(t, {
    env: isolatedEnv(),
    data,
    args: [
      '--port',
      String(plainPort),
      '--tls-port',
      '0',
      '--tls-cert',
      shown.certPath,
      '--tls-key',
      shown.keyPath,
    ],
  });
  const app = await appFolder(t, {
    'fulcrum.config.ts': `
      import { defineApp } from 'fulcrum';
      export default defineApp({ name: 'secure', components: { web: { entry: './web.ts', routes: ['/*'] } } });`,
    'web.ts': `export default { fetch: (request: Request) => new Response('asked for ' + request.url) };`,
  });
  const done = await server.run('deploy', app.path, '--no-typecheck', '--host', HOST);
  assert.equal(done.code, 0, done.stdout + done.stderr);
  assert.match(server.url, /^https:/);
  const { port } = new URL(server.url);
  const authority = `${HOST}:${port}`;
  const to = { host: '127.0.0.1', port, path: '/a', servername: HOST, agent: false } as const;

  const one = await answerTo(request({ ...to, ca: shown.cert, headers: { host: authority } }));
  assert.deepEqual([one.status, one.text], [200, `asked for https://${authority}/a`]);

  const session = http2Connect(server.url, { ca: shown.cert, servername: HOST });
  t.after(() => session.destroy());
  const stream = session.request({ ':path': '/b', ':authority': authority });
  const [fields] = (await once(stream, 'response')) as [{ ':status': number }];
  assert.equal(fields[':status'], 200);
  assert.equal(await textOf(stream), `asked for https://${authority}/b`);
  assert.equal((session.socket as TLSSocket).alpnProtocol, 'h2');
  session.close();

  const plain = { host: '127.0.0.1', port: plainPort, path: '/c?d=e', headers: { host: HOST } };
  const sentOn = await answerTo(plainRequest(plain));
  assert.equal(sentOn.status, 308);
  assert.equal(sentOn.location, `https://${authority}/c?d=e`);

  // Renewed where it lies, as by an ACME client: new connections are shown it, without a restart.
  const renewed = await writeCertificate(dataFolder(t), { names: [HOST] });
  copyFileSync(renewed.keyPath, shown.keyPath);
  copyFileSync(renewed.certPath, shown.certPath);
  const now = (): Promise<Answer> =>
    answerTo(request({ ...to, rejectUnauthorized: false, headers: { host: authority } }));
  const { fingerprint256 } = new X509Certificate(renewed.cert);
  for (const begun = performance.now(); ; await wait(100)) {
    const { status, fingerprint } = await now();
    assert.equal(status, 200);
    if (fingerprint === fingerprint256) break;
    assert.equal(fingerprint, one.fingerprint);
    assert.ok(performance.now() - begun < 30_000, 'the certificate is still the old one');
  }
});
