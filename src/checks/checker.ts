import { Worker } from 'node:worker_threads';

import { systemClock } from '../base/clock.ts';
import { formatDuration } from '../base/duration.ts';
import { messageOf } from '../base/errors.ts';
import { silentLogger, type Logger } from '../base/log.ts';
import type { Mode } from '../model/app.ts';
import type { CommandRevision, ModuleRevision } from '../model/revision.ts';
import type { CheckerAnswer, CheckerQuestion } from './checker-messages.ts';
import { checkCommand } from './command-packages.ts';
import { notChecked, type Finding } from './finding.ts';

const DEFAULT_TIMEOUT_MS = 15_000;
const MEMORY_MB = 512;
const MAX_REMEMBERED = 256;
/** `.ts` in a checkout, `.js` when published. */
const WORKER = new URL(`./checker-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);

export interface CheckerOptions {
  /** Absolute folders that hold no code of the author: our sdk's. */
  readonly libraries: readonly string[];
  /** How long one check may take; 15 s where not given. */
  readonly timeoutMs?: number;
  readonly logger?: Logger;
}

type Outcome =
  | CheckerAnswer
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'broke'; readonly error: unknown };

/**
 * Checks what a switch would break, each in a thread of its own, one at a time, within bounds of time and memory. What cannot be
 * checked gives a note: a check neither fails nor keeps anybody from switching. Results are remembered by revision.
 */
export class Checker {
  readonly #options: CheckerOptions;
  readonly #remembered = new Map<string, Promise<readonly Finding[]>>();
  readonly #running = new Set<Worker>();
  #turn: Promise<unknown> = Promise.resolve();
  #state: 'open' | 'closed' = 'open';

  constructor(options: CheckerOptions) {
    this.#options = options;
  }

  /** What would break if `revision` ran as `to`: warnings first, at most 50. Never rejects. */
  async check(revision: ModuleRevision | CommandRevision, to: Mode): Promise<readonly Finding[]> {
    if (revision.kind === 'command') return checkCommand(revision.spec.cwd, to);
    // A revision's id covers its code and its settings.
    const key = `${revision.id} ${to} ${revision.bundle.path}`;
    const known = this.#remembered.get(key);
    if (known !== undefined) return known;
    const work = this.#turn.then(() =>
      this.#ask({
        bundlePath: revision.bundle.path,
        appDirectory: revision.bundle.filesRoot,
        libraries: this.#options.libraries,
        to,
        concurrency: revision.spec[to].concurrency,
        hasStorage: revision.spec.storage.length > 0,
      }),
    );
    this.#turn = work;
    this.#remember(key, work);
    return work;
  }

  /** Ends what is under way; checks that wait give a note. */
  async close(): Promise<void> {
    this.#state = 'closed';
    await Promise.all([...this.#running].map((worker) => worker.terminate()));
    await this.#turn;
  }

  #remember(key: string, work: Promise<readonly Finding[]>): void {
    if (this.#remembered.size >= MAX_REMEMBERED)
      this.#remembered.delete(this.#remembered.keys().next().value!);
    this.#remembered.set(key, work);
  }

  async #ask(question: CheckerQuestion): Promise<readonly Finding[]> {
    const timeoutMs = this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const outcome = this.#isClosed() ? null : await this.#run(question, timeoutMs);
    if (outcome === null || this.#isClosed())
      return [notChecked('The server is shutting down, so the code was not checked.')];
    if ('findings' in outcome) return outcome.findings;
    if ('kind' in outcome && outcome.kind === 'timed-out') {
      return [notChecked(`The code could not be checked within ${formatDuration(timeoutMs)}.`)];
    }
    const why = 'error' in outcome ? messageOf(outcome.error) : '';
    (this.#options.logger ?? silentLogger).warn(
      { bundle: question.bundlePath, error: why },
      'a check of a mode switch failed',
    );
    return [notChecked('The code could not be checked: the check itself failed, as the log says.')];
  }

  async #run(question: CheckerQuestion, timeoutMs: number): Promise<Outcome> {
    const worker = new Worker(WORKER, {
      workerData: question,
      name: 'fulcrum check',
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
      env: {},
      // The flags of the server's own process are not the checker's.
      execArgv: process.execArgv.filter(
        (flag) => flag.startsWith('--conditions') || flag.startsWith('--disable-warning'),
      ),
    });
    this.#running.add(worker);
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    worker.once('message', (answer: CheckerAnswer) => resolve(answer));
    worker.once('messageerror', (error) => resolve({ kind: 'broke', error }));
    worker.once('error', (error) => resolve({ kind: 'broke', error }));
    worker.once('exit', () => resolve({ kind: 'broke', error: 'its thread ended' }));
    const timer = systemClock.after(timeoutMs, () => resolve({ kind: 'timed-out' }));
    const outcome = await promise;
    timer.cancel();
    await worker.terminate();
    this.#running.delete(worker);
    return outcome;
  }

  /** A method, for while something is awaited the state may change. */
  #isClosed(): boolean {
    return this.#state === 'closed';
  }
}
