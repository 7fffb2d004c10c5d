import { chmodSync, closeSync, existsSync, fstatSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { FulcrumError } from '../base/errors.ts';
import type { Durability } from './operation.ts';
import { storeError } from './sqlite-errors.ts';

/** `Fulc`: tells our files from those of others, https://sqlite.org/pragma.html#pragma_application_id */
const APPLICATION_ID = 0x46756c63;
/** Pages that a commit may leave in the write-ahead log before they are moved into the file: 8 MB. */
const CHECKPOINT_PAGES = 2_000;
const MAX_WAL_BYTES = 64 * 1024 ** 2;

interface Prepared {
  readonly statement: StatementSync;
  readonly givesRows: boolean;
}

/** One connection to an SQLite file, with its statements kept. Everything blocks: it belongs on a thread of its own. */
export class SqliteDatabase {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, Prepared>();
  #durability: Durability | null = null;

  private constructor(path: string, database: DatabaseSync) {
    this.path = path;
    this.#database = database;
  }

  /**
   * Opens the file, or makes it with mode 0600 and its folder. Throws `store-failed`.
   * @param busyTimeoutMs how long a transaction waits for another process that holds the file.
   */
  static open(path: string, busyTimeoutMs: number): SqliteDatabase {
    let database: DatabaseSync | null = null;
    try {
      makePrivate(path);
      database = new DatabaseSync(path, { timeout: busyTimeoutMs, allowUnknownNamedParameters: true });
      refuseForeign(database, path);
      // Only takes effect before the first table is made, and WAL mode fixes it.
      database.exec('PRAGMA auto_vacuum = INCREMENTAL');
      database.exec('PRAGMA journal_mode = WAL');
      database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
      database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
      database.exec(`PRAGMA journal_size_limit = ${MAX_WAL_BYTES}`);
      // macOS keeps an ordinary fsync in the disk's own cache; elsewhere this does nothing.
      database.exec('PRAGMA fullfsync = ON');
      return new SqliteDatabase(path, database);
    } catch (error) {
      database?.close();
      throw storeError(error, path);
    }
  }

  /** Opens a file that is there, and leaves it as it is. Throws `store-failed`, also where there is none or it is no store. */
  static look(path: string, busyTimeoutMs: number): SqliteDatabase {
    let database: DatabaseSync | null = null;
    try {
      // An empty one would be made.
      if (!existsSync(path)) throw new FulcrumError('store-failed', `There is no store ${path}.`);
      database = new DatabaseSync(path, { timeout: busyTimeoutMs });
      const id = Number(database.prepare('PRAGMA application_id').get()?.['application_id'] ?? 0);
      if (id !== APPLICATION_ID) {
        throw new FulcrumError(
          'store-failed',
          `The file ${path} is no store of Fulcrum, and no backup of one.`,
        );
      }
      return new SqliteDatabase(path, database);
    } catch (error) {
      database?.close();
      throw storeError(error, path);
    }
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** The prepared form of `sql`, which must be one of a fixed set of texts: each is kept. Parameters may be `?` or `$1`, `$2`, … */
  statement(sql: string): StatementSync {
    return this.#prepared(sql).statement;
  }

  /** Whether running `sql` results in rows, be they none. */
  givesRows(sql: string): boolean {
    return this.#prepared(sql).givesRows;
  }

  /** Runs `work` as a whole or, where it throws, not at all. */
  transaction<T>(durability: Durability, work: () => T): T {
    this.#setDurability(durability);
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      // Some failures (a full disk) have rolled back already.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** Gives freed pages back to the file system, at most `pages`, where they are more than a fifth of the file: fewer are soon used again. */
  shrink(pages: number): void {
    const free = Number(this.statement('PRAGMA freelist_count').get()?.['freelist_count'] ?? 0);
    const all = Number(this.statement('PRAGMA page_count').get()?.['page_count'] ?? 0);
    if (free * 5 > all) this.#database.exec(`PRAGMA incremental_vacuum(${pages})`);
  }

  close(): void {
    this.#database.close();
  }

  #prepared(sql: string): Prepared {
    let prepared = this.#statements.get(sql);
    if (prepared === undefined) {
      // `$1` would be a parameter with a name to SQLite; `?1` is the first.
      const statement = this.#database.prepare(sql.replaceAll(/\$(?=\d)/g, '?'));
      prepared = { statement, givesRows: statement.columns().length > 0 };
      this.#statements.set(sql, prepared);
    }
    return prepared;
  }

  /** The setting belongs to the connection and cannot be changed within a transaction. */
  #setDurability(durability: Durability): void {
    if (durability === this.#durability) return;
    this.#database.exec(`PRAGMA synchronous = ${durability === 'power' ? 'FULL' : 'NORMAL'}`);
    this.#durability = durability;
  }
}

/** SQLite gives its `-wal` and `-shm` files the mode of the file itself. */
function makePrivate(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const file = openSync(path, 'a', 0o600);
  try {
    if ((fstatSync(file).mode & 0o077) !== 0) chmodSync(path, 0o600);
  } finally {
    closeSync(file);
  }
}

function refuseForeign(database: DatabaseSync, path: string): void {
  const id = Number(database.prepare('PRAGMA application_id').get()?.['application_id'] ?? 0);
  if (id === APPLICATION_ID) return;
  const tables = Number(database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] ?? 0);
  if (id === 0 && tables === 0) return;
  throw new FulcrumError(
    'store-failed',
    `The file ${path} is an SQLite database of another program. Give Fulcrum a file of its own.`,
  );
}
