import type { Clock, Timer } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { StartFailure } from '../model/status.ts';
import { reasonOf } from './deploys/bring-up.ts';

export interface AppStartsOptions {
  /** Starts what the store says serves of an app, unless it does already. */
  readonly start: (app: string) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Starts are work for the processor; more at a time would only make the first ones later. */
const AT_ONCE = 4;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** Brings apps up when a server starts: all beside each other, and one that does not come up again and again while the others serve. */
export class AppStarts {
  readonly #o: AppStartsOptions;
  readonly #retries = new Map<string, Timer>();
  readonly #failed = new Map<string, StartFailure>();
  #state: 'open' | 'closed' = 'open';

  constructor(options: AppStartsOptions) {
    this.#o = options;
  }

  /** Apps that have not come up yet, and why. */
  get failed(): ReadonlyMap<string, string> {
    return new Map([...this.#failed].map(([app, { message }]) => [app, message]));
  }

  /** Why an app did not come up the last time that it was tried; null where it has, or should not. */
  failure(app: string): StartFailure | null {
    return this.#failed.get(app) ?? null;
  }

  /** Resolves when each has come up or has failed once. Never rejects. */
  async startAll(apps: readonly string[]): Promise<void> {
    const left = [...apps];
    const next = async (): Promise<void> => {
      for (let app = left.shift(); app !== undefined; app = left.shift())
        await this.#start(app, FIRST_PAUSE_MS);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
  }

  close(): void {
    this.#state = 'closed';
    for (const timer of this.#retries.values()) timer.cancel();
    this.#retries.clear();
  }

  async #start(app: string, pauseMs: number): Promise<void> {
    this.#retries.delete(app);
    if (this.#state === 'closed') return;
    try {
      await this.#o.start(app);
      this.#failed.delete(app);
    } catch (error) {
      if (error instanceof FulcrumError && error.code === 'shutting-down') return;
      const reason = reasonOf(error);
      this.#failed.set(app, { atMs: this.#o.clock.nowMs(), message: reason });
      this.#o.logger.error(
        { app, reason },
        `${app} did not start, and is tried again in ${pauseMs / 1_000} s: ${reason}`,
      );
      if ((this.#state as string) === 'closed') return;
      const again = (): void => void this.#start(app, Math.min(2 * pauseMs, LONGEST_PAUSE_MS));
      this.#retries.set(app, this.#o.clock.after(pauseMs, again));
    }
  }
}
