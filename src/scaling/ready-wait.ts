import type { Clock, Timer } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import { stayedFull } from './fit.ts';
import type { PoolRoom } from './pool-room.ts';
import type { PooledInstance } from './pooled-instance.ts';

/** How long a pool that is to take another's place waits for others to make room. */
const ROOM_WAIT_MS = 60_000;

export interface ReadyWaitOptions {
  readonly component: string;
  readonly clock: Clock;
  /** The pool's own list, as it changes. */
  readonly instances: readonly PooledInstance[];
  /** Below so many it never serves, whatever it gave back: a service's minimum; 0 of a function's. */
  readonly least: number;
  /** Null: no bound. */
  readonly room: Pick<PoolRoom, 'short' | 'gaveBack'> | null;
  /** Why the last start failed, where one did. */
  readonly startError: () => FulcrumError | null;
}

interface Waiting {
  readonly count: number;
  readonly resolve: () => void;
  readonly reject: (error: FulcrumError) => void;
  readonly limit: Timer;
}

/** Somebody waits until so many instances of a pool are ready: a deploy, or a mode switch. One at a time. */
export class ReadyWait {
  readonly #o: ReadyWaitOptions;
  #waiting: Waiting | null = null;

  constructor(o: ReadyWaitOptions) {
    this.#o = o;
  }

  /**
   * Resolves when `count` are ready. Rejects with what {@link look} or {@link reject} is given, and when it has taken too long whatever
   * the reason: nobody else can change the app while it waits.
   */
  begin(count: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let spentMs = 0;
    const limit = this.#o.clock.every(ROOM_WAIT_MS, () => this.#isLate((spentMs += ROOM_WAIT_MS)));
    this.#waiting = { count, resolve, reject, limit };
    this.look(this.#o.startError());
    return promise;
  }

  /** Something has changed. @param error why one of them failed, so that with those that start they are too few; null: none did. */
  look(error: FulcrumError | null): void {
    if (this.#waiting === null) return;
    const { count, resolve } = this.#waiting;
    const ready = this.#count('ready');
    if (ready >= this.#needed(count)) {
      resolve();
      this.#end();
    } else if (error !== null && ready + this.#count('starting') < this.#needed(count)) {
      this.reject(error);
    }
  }

  /** There is nothing to wait for. Does nothing where nobody waits. */
  reject(error: FulcrumError): void {
    this.#waiting?.reject(error);
    this.#end();
  }

  /** Whether those that were ready, `count` of them, still are, but for those that made room. */
  stillReady(count: number): boolean {
    return this.#count('ready') >= this.#needed(count);
  }

  /** One that has shown that it starts may have made room for others; nobody starts another for it. */
  #needed(count: number): number {
    return Math.max(this.#o.least, count - (this.#o.room?.gaveBack ?? 0));
  }

  /** What starts already may still come in time, and has a limit of its own; what has no room by now will not. */
  #isLate(spentMs: number): void {
    const { component, room, startError } = this.#o;
    const isShort = (room?.short ?? 0) > 0;
    if (!isShort && this.#count('starting') > 0 && spentMs < 2 * ROOM_WAIT_MS) return;
    this.reject(isShort ? stayedFull(component, spentMs) : (startError() ?? neverReady(component, spentMs)));
  }

  #end(): void {
    this.#waiting?.limit.cancel();
    this.#waiting = null;
  }

  #count(state: PooledInstance['state']): number {
    return this.#o.instances.reduce((sum, one) => sum + (one.state === state ? 1 : 0), 0);
  }
}

function neverReady(component: string, waitedMs: number): FulcrumError {
  return new FulcrumError(
    'start-failed',
    `Component "${component}" was not ready after ${Math.round(waitedMs / 1_000)} s. See its log for what became of its instances.`,
  );
}
