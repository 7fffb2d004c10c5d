import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client } from 'pg';
import { PASSWORD, postgresHome } from '../test/conformance/store/support/postgres-home.ts';
import { serveLines } from './line-process.ts';

/** Why there is no Postgres; null: there is one. */
export type PostgresHello = { readonly missing: string | null };

/**
 * A Postgres of its own, durable as it is by default (`fsync`, `full_page_writes`, `synchronous_commit` on), with the planner and the vacuum as they are.
 * Asked for a database by name, it makes one and tells its URL.
 */
const home = await postgresHome();
if (typeof home === 'string') await serveLines({ missing: home } satisfies PostgresHello, async () => null);
else {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-bench-pg-'));
  const data = join(folder, 'data');
  await cp(home.templateData, data, { recursive: true });
  if (home.user !== null) await own(folder, home.user);
  const settings = ['listen_addresses=', 'shared_buffers=256MB', 'max_connections=100'];
  const child = spawn(
    home.postgres,
    ['-D', data, '-k', folder, ...settings.flatMap((setting) => ['-c', setting])],
    { stdio: ['ignore', 'ignore', 'pipe'], cwd: folder, env: { LC_ALL: 'C' }, ...home.user },
  );
  const exited = once(child, 'exit');
  const ready = Promise.withResolvers<void>();
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.includes('ready to accept connections')) ready.resolve();
    if (/FATAL|PANIC/.test(line)) console.error(line);
  });
  await Promise.race([ready.promise, exited.then(() => Promise.reject(new Error('Postgres did not start')))]);
  const url = (database: string): string =>
    `postgres://postgres:${PASSWORD}@localhost:5432/${database}?host=${encodeURIComponent(folder)}`;
  await serveLines({ missing: null } satisfies PostgresHello, async (name: string) => {
    const client = new Client({ connectionString: url('postgres') });
    await client.connect();
    await client.query(`CREATE DATABASE ${name}`);
    await client.end();
    return { url: url(name) };
  });
  child.kill('SIGINT');
  await exited;
  await rm(folder, { recursive: true, force: true });
}

/** Postgres refuses to run as root, and to read files of others. */
async function own(folder: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  await chown(folder, uid, gid);
  const change = spawn('chown', ['-R', `${uid}:${gid}`, folder]);
  await once(change, 'exit');
}
