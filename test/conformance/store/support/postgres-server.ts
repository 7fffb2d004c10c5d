import { spawn, type ChildProcess } from 'node:child_process';
import { chown, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { after } from 'node:test';
import { Client } from 'pg';
import { PASSWORD, postgresHome, type PostgresHome } from './postgres-home.ts';

/**
 * Keeps one server, and ends it and its files when its own input ends: then whoever ran the tests is gone, however suddenly.
 * Said to it: `start`, and `crash`, after which there was no orderly end.
 */
const KEEPER = `
  trap '' INT TERM HUP
  cp -R "$2" "$3/data" && chmod 700 "$3/data" || exit 1
  while read -r word; do
    case $word in
      start) "$1" -D "$3/data" -k "$3" "$@4" </dev/null 2>&1 & pid=$!; echo "pid $pid" ;;
      crash) kill -QUIT $pid; wait $pid; echo crashed ;;
    esac
  done
  kill -QUIT $pid; wait $pid
  rm -rf "$3"
`;

const SETTINGS = {
  listen_addresses: '',
  port: '5432',
  fsync: 'off',
  full_page_writes: 'off',
  shared_buffers: '16MB',
  max_connections: '60',
  wal_level: 'minimal',
  max_wal_senders: '0',
  // Tests keep many small databases for a moment each; a worker for each of them would be most of the work.
  autovacuum: 'off',
  jit: 'off',
  log_min_messages: 'log',
};

/** A real Postgres of one test file: on a Unix socket in a folder of its own, so that no two can meet. Ends with the file. */
export class PostgresServer {
  readonly #folder: string;
  /** Names the socket in its folder, too. */
  readonly #port: string;
  readonly #keeper: ChildProcess;
  readonly #lines: string[] = [];
  readonly #waiting = new Set<() => void>();
  #databases = 0;

  private constructor(home: PostgresHome, folder: string, own: Readonly<Record<string, string>>) {
    this.#folder = folder;
    this.#port = own['port'] ?? SETTINGS.port;
    const settings = Object.entries({ ...SETTINGS, ...own }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    this.#keeper = spawn(
      '/bin/sh',
      [
        '-c',
        KEEPER.replace('"$@4"', settings.map((word) => `'${word}'`).join(' ')),
        'postgres-keeper',
        home.postgres,
        home.templateData,
        folder,
      ],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
        cwd: folder,
        env: { LC_ALL: 'C', PATH: process.env['PATH'] },
        ...home.user,
      },
    );
    createInterface({ input: this.#keeper.stdout! }).on('line', (line) => {
      this.#lines.push(line);
      for (const look of this.#waiting) look();
    });
    // The tests' end must not wait for it: it ends by itself when they do.
    this.#keeper.unref();
    (this.#keeper.stdin as Writable & { unref(): void }).unref();
    (this.#keeper.stdout as Readable & { unref(): void }).unref();
  }

  /**
   * @param own settings that differ; `FOLDER` in them stands for the server's.
   * @param files to be put into that, by name.
   * @returns why there is none, where there can be none.
   */
  static async start(
    own: Readonly<Record<string, string>> = {},
    files: Readonly<Record<string, string>> = {},
  ): Promise<PostgresServer | string> {
    const home = await postgresHome();
    if (typeof home === 'string') return home;
    const folder = await mkdtemp(join(tmpdir(), 'fulcrum-pg-'));
    if (home.user !== null) await chown(folder, home.user.uid, home.user.gid);
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name);
      await writeFile(path, text, { mode: 0o600 });
      if (home.user !== null) await chown(path, home.user.uid, home.user.gid);
    }
    const settings = Object.fromEntries(
      Object.entries(own).map(([name, value]) => [name, value.replace('FOLDER', folder)]),
    );
    const server = new PostgresServer(home, folder, settings);
    await server.startAgain();
    after(() => server.#end());
    return server;
  }

  /** A URL for `database`, with a password in it. */
  url(database: string): string {
    return `postgres://postgres:${PASSWORD}@localhost:${this.#port}/${database}?host=${encodeURIComponent(this.#folder)}`;
  }

  async newDatabase(options = ''): Promise<{ place: string; clear: () => Promise<void> }> {
    const name = `test_${this.#databases++}`;
    await this.query('postgres', `CREATE DATABASE ${name} ${options}`);
    return {
      place: this.url(name),
      clear: () => this.query('postgres', `DROP DATABASE ${name} WITH (FORCE)`).then(() => undefined),
    };
  }

  async query(database: string, sql: string): Promise<readonly Record<string, unknown>[]> {
    const client = new Client({ connectionString: database.includes('://') ? database : this.url(database) });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  /** Ends it without any order, as a power cut does but for what the disk had taken. */
  async crash(): Promise<void> {
    await this.#say('crash', 'crashed');
  }

  async startAgain(): Promise<void> {
    await this.#say('start', 'database system is ready to accept connections');
  }

  async #say(word: string, answer: string): Promise<void> {
    this.#lines.length = 0;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const look = (): void => {
      if (this.#lines.some((line) => line.includes(answer))) resolve();
    };
    const ended = (): void => reject(new Error(`Postgres did not ${word}:\n${this.#lines.join('\n')}`));
    this.#waiting.add(look);
    this.#keeper.once('exit', ended);
    // Held while it is waited for.
    this.#keeper.ref();
    this.#keeper.stdin!.write(`${word}\n`);
    try {
      await promise;
    } finally {
      this.#waiting.delete(look);
      this.#keeper.off('exit', ended);
      this.#keeper.unref();
    }
  }

  async #end(): Promise<void> {
    if (this.#keeper.exitCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#keeper.once('exit', () => resolve());
    this.#keeper.ref();
    this.#keeper.stdin!.end();
    await promise;
  }
}
