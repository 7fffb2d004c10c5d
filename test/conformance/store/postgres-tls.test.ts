import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { openPostgresStore } from '../../../src/store/postgres-store.ts';
import { hasCode } from './support/has-code.ts';
import { PASSWORD } from './support/postgres-home.ts';
import { PostgresServer } from './support/postgres-server.ts';

const folder = await mkdtemp(join(tmpdir(), 'fulcrum-tls-'));
after(() => rm(folder, { recursive: true, force: true }));
const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
const made = spawnSync('openssl', [
  ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
  ...[
    '-subj',
    '/CN=postgres of the tests',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-keyout',
    key,
    '-out',
    certificate,
  ],
]);
const port = await freePort();
const server =
  made.status === 0
    ? await PostgresServer.start(
        {
          ...{ listen_addresses: '127.0.0.1', port: String(port), ssl: 'on' },
          ...{ ssl_key_file: 'FOLDER/key.pem', ssl_cert_file: 'FOLDER/certificate.pem' },
        },
        { 'key.pem': await readFile(key, 'utf8'), 'certificate.pem': await readFile(certificate, 'utf8') },
      )
    : 'no openssl to make a certificate with';
const skip = typeof server === 'string' ? server : false;

test(
  'a connection is encrypted and the server checked where the URL says so, and not where it does not',
  { skip },
  async () => {
    assert.equal(await encrypted(''), false);
    assert.equal(await encrypted(`sslmode=verify-full&sslrootcert=${certificate}`), true);
    assert.equal(await encrypted(`sslmode=require&sslrootcert=${certificate}`), true);
    assert.equal(await encrypted('sslmode=no-verify'), true);
    for (const mode of ['verify-full', 'require', 'prefer']) {
      await assert.rejects(
        encrypted(`sslmode=${mode}`),
        hasCode('store-failed', /a certificate that is not trusted \(self-signed certificate.*Name the file/),
      );
    }
  },
);

/** Opens a store, and asks the server what it knows of its connection. */
async function encrypted(options: string): Promise<boolean> {
  const url = `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres?${options}`;
  const store = await openPostgresStore({ url, clock: systemClock, logger: silentLogger });
  try {
    await store.apps.list();
    const [row] = await (server as PostgresServer).query(
      `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/postgres`,
      "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'fulcrum' AND state = 'idle'",
    );
    return row!['ssl'] as boolean;
  } finally {
    await store.close();
  }
}

/** Postgres cannot be told to choose one. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
