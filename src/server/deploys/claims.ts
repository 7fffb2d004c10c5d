import type { AppStore } from '../../model/app-record.ts';
import { Turns } from '../../scaling/turns.ts';
import { refuseForeignPlace, refuseSamePlace, type Routing } from './routing.ts';

export interface Claim {
  readonly app: string;
  readonly routing: Routing;
  /** Whether whoever claims it may decide where apps answer; else what {@link refuseForeignPlace} says. */
  readonly isAdmin: boolean;
}

/**
 * Where apps answer is decided for all of them by one at a time: from the look at what the others have to when the gateway has been told,
 * nobody else decides. Two that each look before the other has written would leave records that clash.
 */
export class Claims {
  readonly #apps: Pick<AppStore, 'list'>;
  readonly #turns = new Turns();

  constructor(apps: Pick<AppStore, 'list'>) {
    this.#apps = apps;
  }

  /** Rejects with `conflict` or `forbidden`. What it allows may be another's a moment later, but within `decide`. */
  async check({ app, routing, isAdmin }: Claim): Promise<void> {
    const apps = await this.#apps.list();
    if (!isAdmin) refuseForeignPlace(app, routing, apps);
    refuseSamePlace(app, routing, apps);
  }

  /**
   * Runs `work`, which writes down where an app answers and tells the gateway.
   * @param claim what it writes of that; null: nothing, or that the app answers nowhere. Rejects as `check` does; then `work` has not run.
   */
  async decide<T>(claim: Claim | null, work: () => Promise<T>): Promise<T> {
    const end = await this.#turns.take();
    try {
      if (claim !== null) await this.check(claim);
      return await work();
    } finally {
      end();
    }
  }
}
