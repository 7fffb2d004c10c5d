import { Worker } from 'node:worker_threads';
import type { Clock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Argument, Caller, OperationName, Result } from './operations/index.ts';
import type { FromWorker, PlainError, SqliteUse, ToWorker, WorkerSettings } from './sqlite-messages.ts';

/** Calls that may wait for the thread; one more is refused, for something is very wrong then. */
const MAX_WAITING = 1_000;
const SLOW_CALL_MS = 2_000;

export interface SqliteThreadOptions {
  readonly path: string;
  /** `serve`. */
  readonly use?: SqliteUse;
  readonly busyTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** {@link startSqliteWorker}, or what a test puts in its place. */
  readonly startWorker: (settings: WorkerSettings) => Worker;
}

interface Waiting {
  readonly operation: OperationName;
  readonly sinceMs: number;
  resolve(value: unknown): void;
  reject(error: FulcrumError): void;
}

/**
 * The server's end of the store's thread. `opening` until the file is open; `open` while calls are taken; `gone` when the
 * thread ended or refused to open, where the next call begins a new one; `closed` for ever after close().
 */
type State = 'opening' | 'open' | 'gone' | 'closed';

export class SqliteThread implements Caller {
  readonly name: string;
  readonly #use: SqliteUse;
  readonly #busyTimeoutMs: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #startWorker: (settings: WorkerSettings) => Worker;
  readonly #waiting = new Map<number, Waiting>();
  #state: State = 'gone';
  #worker: Worker | null = null;
  #opened: Promise<void> = Promise.resolve();
  #exited: Promise<void> = Promise.resolve();
  #nextId = 1;

  constructor(options: SqliteThreadOptions) {
    this.name = options.path;
    this.#use = options.use ?? 'serve';
    this.#busyTimeoutMs = options.busyTimeoutMs;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#startWorker = options.startWorker;
  }

  /** Starts the thread and opens the file. Rejects with `store-failed`. */
  async open(): Promise<void> {
    if (this.#state === 'closed') throw closed();
    if (this.#state === 'gone') this.#start();
    await this.#opened;
  }

  /** Rejects with `store-failed`, or what the operation throws. */
  async call<Name extends OperationName>(operation: Name, argument: Argument<Name>): Promise<Result<Name>> {
    if (this.#state !== 'open') await this.open();
    const worker = this.#worker;
    if (worker === null) throw this.#gone();
    if (this.#waiting.size >= MAX_WAITING) {
      throw new FulcrumError(
        'store-failed',
        `The store ${this.name} is too slow: ${MAX_WAITING} calls wait for it. Check the disk.`,
      );
    }
    return new Promise<unknown>((resolve, reject) => {
      const id = this.#nextId++;
      this.#waiting.set(id, {
        operation,
        sinceMs: this.#clock.monotonicMs(),
        resolve,
        reject,
      });
      this.#keepAlive();
      worker.postMessage({ kind: 'call', id, operation, argument } satisfies ToWorker, []);
    }) as Promise<Result<Name>>;
  }

  /** Finishes the calls that wait, closes the file, and ends the thread. Idempotent. */
  async close(): Promise<void> {
    const worker = this.#worker;
    this.#state = 'closed';
    if (worker !== null) {
      worker.ref();
      worker.postMessage({ kind: 'close' } satisfies ToWorker, []);
    }
    await this.#exited;
  }

  #start(): void {
    this.#state = 'opening';
    const settings: WorkerSettings = {
      path: this.name,
      use: this.#use,
      busyTimeoutMs: this.#busyTimeoutMs,
      nowMs: this.#clock.nowMs(),
    };
    const worker = this.#startWorker(settings);
    this.#worker = worker;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#opened = promise;
    // Whoever awaits open() is told; a second observer must not make it an unhandled rejection.
    promise.catch(() => undefined);
    let crash: Error | null = null;
    this.#exited = new Promise((done) => {
      worker.once('exit', () => {
        const error = this.#gone(crash);
        if (this.#state !== 'closed') {
          if (this.#state === 'open') this.#logger.error({ err: error }, 'The thread of the store ended.');
          this.#state = 'gone';
        }
        this.#worker = null;
        reject(error);
        for (const waiting of this.#waiting.values()) waiting.reject(error);
        this.#waiting.clear();
        done();
      });
    });
    worker.once('error', (error: Error) => {
      crash = error;
    });
    worker.on('message', (message: FromWorker) => {
      switch (message.kind) {
        case 'opened':
          if (this.#state === 'opening') this.#state = 'open';
          if (message.migrated.length > 0) {
            this.#logger.info(
              { path: this.name, migrated: message.migrated },
              'The schema of the store was brought up to date.',
            );
          }
          this.#keepAlive();
          return resolve();
        case 'refused':
          return reject(revived(message.error));
        case 'done':
          return this.#take(message.id)?.resolve(message.value);
        case 'failed':
          return this.#take(message.id)?.reject(revived(message.error));
      }
    });
  }

  #take(id: number): Waiting | null {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return null;
    this.#waiting.delete(id);
    this.#keepAlive();
    const tookMs = Math.round(this.#clock.monotonicMs() - waiting.sinceMs);
    if (tookMs > SLOW_CALL_MS) {
      this.#logger.warn({ operation: waiting.operation, tookMs }, 'The store was slow.');
    }
    return waiting;
  }

  /** The thread holds the process only while somebody waits for it. */
  #keepAlive(): void {
    if (this.#state === 'closed') return;
    if (this.#waiting.size > 0) this.#worker?.ref();
    else this.#worker?.unref();
  }

  #gone(cause: Error | null = null): FulcrumError {
    if (this.#state === 'closed') return closed();
    return new FulcrumError(
      'store-failed',
      `The thread of the store ${this.name} ended unexpectedly; it is started again with the next call.`,
      cause === null ? {} : { cause },
    );
  }
}

export function startSqliteWorker(settings: WorkerSettings): Worker {
  // `.ts` in a checkout, `.js` where it was compiled: the compiler rewrites imports, but no URLs.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new Worker(new URL(`./sqlite-worker.${extension}`, import.meta.url), {
    workerData: settings,
    name: 'fulcrum-store',
    // The server's own flags (an inspector, a loader, code given on the command line) are not for this thread.
    execArgv: [],
  });
}

function closed(): FulcrumError {
  return new FulcrumError('store-failed', 'The store is closed.');
}

function revived(error: PlainError): FulcrumError {
  return new FulcrumError(
    error.code,
    error.message,
    error.cause === null ? {} : { cause: new Error(error.cause) },
  );
}
