import type { Clock, Timer } from '../../base/clock.ts';
import type { StartOrder } from '../../model/instance.ts';
import type { CodeRevision } from '../../model/revision.ts';
import { givenUp, tooSlow } from './start-errors.ts';

/** The limits of one start: whoever asked for it may give it up, and it may take too long. */
export class StartLimit {
  /** Rejects with `start-failed` when the start is over without having come about; never resolves. */
  readonly passed: Promise<never>;
  readonly #timer: Timer;
  readonly #signal: StartOrder['signal'];
  readonly #onAbort: () => void;

  constructor(revision: CodeRevision, signal: StartOrder['signal'], clock: Clock, timeoutMs: number) {
    const { promise, reject } = Promise.withResolvers<never>();
    this.passed = promise;
    // It may reject before it is raced.
    promise.catch(() => undefined);
    this.#signal = signal;
    this.#onAbort = () => reject(givenUp(revision, signal.reason));
    signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#timer = clock.after(timeoutMs, () => reject(tooSlow(revision, timeoutMs)));
  }

  /** The start has come about, or has failed. */
  cancel(): void {
    this.#timer.cancel();
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}
