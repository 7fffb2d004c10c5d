import { Worker } from 'node:worker_threads';
import { asFulcrumError, FulcrumError, type ErrorCode } from '../../base/errors.ts';
import type { UsageLine } from '../../model/usage-export.ts';
import type { UnitAnswer, UnitQuestion } from './unit-answer.ts';

const WORKER = new URL(
  `./usage-thread-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`,
  import.meta.url,
);
/** Lines that are handed over at a time. */
const BATCH = 200;

export type ThreadOrder =
  | { readonly kind: 'lines'; readonly lines: readonly UsageLine[] }
  | { readonly kind: 'ask'; readonly question: UnitQuestion };

export type ThreadReply =
  | { readonly kind: 'taken' }
  | { readonly kind: 'answer'; readonly answer: UnitAnswer }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/**
 * An app's usage in a thread of its own, put together and asked about there: an hour of a busy app takes seconds to put in order, in which
 * whoever does it does nothing else.
 */
export class UsageThread {
  readonly #worker: Worker;
  readonly #signal: AbortSignal;
  #failed: unknown = null;
  #waits: PromiseWithResolvers<ThreadReply> | null = null;

  /** Rejects with what the lines do, with `trace-invalid` where they cannot be read, and with the signal's reason; then nothing is left of it. */
  static async read(
    lines: AsyncIterable<UsageLine>,
    members: ReadonlyMap<string, readonly string[]>,
    signal: AbortSignal,
  ): Promise<UsageThread> {
    signal.throwIfAborted();
    const thread = new UsageThread(members, signal);
    try {
      await thread.#hand(lines);
      return thread;
    } catch (error) {
      await thread.close();
      throw error;
    }
  }

  private constructor(members: ReadonlyMap<string, readonly string[]>, signal: AbortSignal) {
    this.#signal = signal;
    this.#worker = new Worker(WORKER, {
      workerData: members,
      name: 'fulcrum auto',
      execArgv: process.execArgv.filter(
        (flag) => flag.startsWith('--conditions') || flag.startsWith('--disable-warning'),
      ),
    });
    this.#worker.on('message', (reply: ThreadReply) => this.#waits?.resolve(reply));
    this.#worker.once('error', (error) => this.#fail(endedBy(error)));
    this.#worker.once('exit', () =>
      this.#fail(new FulcrumError('internal', 'The thread that reads usage has ended.')),
    );
    signal.addEventListener('abort', this.#abort, { once: true });
  }

  /** One after the other. Rejects with what `answerOf` throws. */
  async ask(question: UnitQuestion): Promise<UnitAnswer> {
    const reply = await this.#order({ kind: 'ask', question });
    if (reply.kind !== 'answer') throw new FulcrumError('internal', `The thread said '${reply.kind}'.`);
    return reply.answer;
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#abort);
    await this.#worker.terminate();
  }

  async #hand(lines: AsyncIterable<UsageLine>): Promise<void> {
    let batch: UsageLine[] = [];
    for await (const line of lines) {
      batch.push(line);
      if (batch.length < BATCH) continue;
      await this.#order({ kind: 'lines', lines: batch });
      batch = [];
    }
    await this.#order({ kind: 'lines', lines: batch });
  }

  async #order(order: ThreadOrder): Promise<Exclude<ThreadReply, { kind: 'failed' }>> {
    this.#signal.throwIfAborted();
    if (this.#failed !== null) throw this.#failed;
    this.#waits = Promise.withResolvers();
    this.#worker.postMessage(order, []);
    const reply = await this.#waits.promise;
    if (reply.kind === 'failed') throw new FulcrumError(reply.code, reply.message);
    return reply;
  }

  readonly #abort = (): void => {
    this.#fail(this.#signal.reason);
    void this.#worker.terminate();
  };

  #fail(error: unknown): void {
    this.#failed ??= error;
    this.#waits?.reject(this.#failed);
  }
}

function endedBy(error: unknown): FulcrumError {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ERR_WORKER_OUT_OF_MEMORY') return asFulcrumError(error);
  return new FulcrumError('trace-invalid', 'What came in this window does not fit into memory.');
}
