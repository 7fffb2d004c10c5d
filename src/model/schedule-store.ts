import type { NewWork } from './event-store.ts';

/** What is known of one schedule of a component. Times are epoch ms. */
export interface ScheduleRecord {
  readonly app: string;
  readonly component: string;
  readonly name: string;
  /** What the config says, as text: where that changes, it begins anew. */
  readonly spec: string;
  /** Ticks up to here do not count: since when it is there, or the clock was put back. */
  readonly sinceMs: number;
  /** The last tick that was fired or skipped; after the clock was put back far, at most when that was noticed. Null: none yet. */
  readonly lastTickMs: number | null;
  readonly last: ScheduleOutcome | null;
}

export interface ScheduleOutcome {
  /** `running` from its tick until it is done with, retries included. `skipped`: the one before still ran, or it was missed. */
  readonly state: 'running' | 'ok' | 'failed' | 'skipped';
  readonly endedAtMs: number | null;
  /** Of `failed`, and why one was skipped. */
  readonly message: string | null;
}

export interface TickOrder {
  readonly app: string;
  readonly component: string;
  readonly name: string;
  /** What the asking node takes the schedule for: where it has been changed meanwhile, the tick is none of its own. */
  readonly spec: string;
  readonly tickMs: number;
  readonly nowMs: number;
  /** Kept in the same transaction; null: the tick is skipped, and `why` is its message. */
  readonly work: NewWork | null;
  readonly why: string | null;
  /** May run beside the one before; else it is skipped where that is still kept (ready, leased, to be tried again). */
  readonly overlaps: boolean;
  readonly node: string;
}

export type TickResult =
  | { readonly tick: 'fired'; readonly leased: boolean }
  /** Another node has fired or skipped this tick or a later one, or there is no such schedule any more, or another of its name. */
  | { readonly tick: 'taken' }
  /** The one before still runs. */
  | { readonly tick: 'skipped' };

export interface ScheduleStore {
  /** Keeps those that are new or changed (from `nowMs` on), and forgets others of the app. @returns all of them. */
  sync(
    app: string,
    schedules: readonly { readonly component: string; readonly name: string; readonly spec: string }[],
    nowMs: number,
  ): Promise<readonly ScheduleRecord[]>;
  list(app: string): Promise<readonly ScheduleRecord[]>;
  /** Of all nodes that ask, one fires it. The outcome is written down by the settlement of its work. */
  tick(order: TickOrder): Promise<TickResult>;
  /**
   * The clock was put back far: ticks count from `nowMs` on. Nothing where another node has done so already, that is where it is ahead of
   * `nowMs` by less than a minute.
   */
  rewind(app: string, component: string, name: string, nowMs: number): Promise<void>;
}
