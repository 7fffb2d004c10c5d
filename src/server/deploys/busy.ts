import type { Clock } from '../../base/clock.ts';
import { FulcrumError } from '../../base/errors.ts';

interface Work {
  readonly what: string;
  readonly by: string;
  readonly sinceMs: number;
  /** Settles with the work where others wait for its end; null: they are refused. */
  readonly end: Promise<unknown> | null;
}

const SERVER = 'the server';

/**
 * What changes an app, one at a time: whoever comes second is refused and told who is at it. What the server does of its own accord is
 * waited for instead, since nobody could know of it or agree with it when.
 */
export class Busy {
  readonly #clock: Clock;
  readonly #works = new Map<string, Work>();
  #closed: FulcrumError | null = null;
  #held: string | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether any app is being changed. */
  get any(): boolean {
    return this.#works.size > 0;
  }

  /** Who changes which app, for people; null where nobody does. */
  describe(): string | null {
    const [first] = this.#works;
    return first === undefined ? null : `${first[1].by} ${first[1].what} ${first[0]}`;
  }

  has(app: string): boolean {
    return this.#works.has(app);
  }

  /**
   * Throws `conflict` where `app` is being changed, and `shutting-down` after `close`.
   * @param what in words: `deploys`, `rolls back`.
   */
  async run<T>(app: string, what: string, by: string, work: () => Promise<T>): Promise<T> {
    await this.#ownEnd(app);
    if (this.#closed === null) this.refuseWhenHeld();
    return await this.#run(app, what, by, work, null);
  }

  /** Of the server's own accord: whoever comes meanwhile waits. Throws as `run`. */
  async runOwn<T>(app: string, what: string, work: () => Promise<T>): Promise<T> {
    if (this.#closed === null) this.refuseWhenHeld();
    const { promise, resolve } = Promise.withResolvers<void>();
    try {
      return await this.#run(app, what, SERVER, work, promise);
    } finally {
      resolve();
    }
  }

  /** For what must not wait until changes are taken again. */
  async runThoughHeld<T>(app: string, what: string, by: string, work: () => Promise<T>): Promise<T> {
    await this.#ownEnd(app);
    return await this.#run(app, what, by, work, null);
  }

  /** Bounded as what the server does is: a start ends when its time is up. */
  async #ownEnd(app: string): Promise<void> {
    for (
      let own = this.#works.get(app)?.end;
      own !== undefined && own !== null;
      own = this.#works.get(app)?.end
    )
      await own;
  }

  async #run<T>(app: string, what: string, by: string, work: () => Promise<T>, end: Work['end']): Promise<T> {
    if (this.#closed !== null) throw this.#closed;
    const other = this.#works.get(app);
    if (other !== undefined) {
      const since = new Date(other.sinceMs).toISOString();
      throw new FulcrumError(
        'conflict',
        `${other.by} ${other.what} ${app} since ${since}. Try again when that is done.`,
        { details: { by: other.by, what: other.what, since }, retryAfterS: 5 },
      );
    }
    this.#works.set(app, { what, by, end, sinceMs: this.#clock.nowMs() });
    try {
      return await work();
    } finally {
      this.#works.delete(app);
    }
  }

  /** Refuses changes with this sentence; null: takes them again. */
  hold(why: string | null): void {
    this.#held = why;
  }

  /** Throws `conflict` where changes are held. */
  refuseWhenHeld(): void {
    if (this.#held !== null) throw new FulcrumError('conflict', this.#held, { retryAfterS: 5 });
  }

  /** Refuses everything from now on. */
  close(): void {
    this.#closed = new FulcrumError(
      'shutting-down',
      'The server is shutting down and takes no more changes.',
      {
        retryAfterS: 5,
      },
    );
  }
}
