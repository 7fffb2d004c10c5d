import type { Publisher, Published } from './event.ts';
import type { Delivery, KeptAnswer, WorkFilter, WorkPlace, WorkRecord } from './event-store.ts';
import type { BacklogStatus, ScheduleStatus } from './status.ts';

/** An invocation that is kept until it is done. */
export interface LaterOrder {
  readonly component: string;
  readonly work: LaterWork;
  /** Stands in the logs of each of its attempts. */
  readonly requestId: string;
  /** Its id, where whoever asks has made one: `idOfKey` of what only they know. */
  readonly id?: string;
}

export type LaterWork =
  /** A named function; `args` is a JSON list. */
  | { readonly kind: 'call'; readonly function: string; readonly args: Uint8Array }
  | { readonly kind: 'scheduled'; readonly cron: string | null; readonly atMs: number | null }
  /** An HTTP request; `fields` are name, value, …, end-to-end ones only. */
  | {
      readonly kind: 'request';
      readonly method: string;
      readonly url: string;
      readonly target: string;
      readonly fields: readonly string[];
      readonly body: Uint8Array;
    };

/** The filter of what is asked about, within one app. */
export type OwnFilter = Omit<WorkFilter, 'app'>;

/**
 * The events, schedules and asynchronous invocations of one app, as other rooms see them. Implemented by `events/`. All reject with
 * `store-failed`.
 */
export interface AppEvents extends Publisher {
  /** Resolves when it is kept. Rejects as `publish` does, and with `not-found`. */
  later(order: LaterOrder): Promise<Published>;
  /** What became of it; null: there is none of this id, or it is forgotten. */
  answer(id: string): Promise<KeptAnswer | null>;

  list(filter: OwnFilter, before: WorkPlace | null, limit: number): Promise<readonly WorkRecord[]>;
  get(id: string): Promise<readonly Delivery[]>;
  count(filter: OwnFilter): Promise<number>;
  /** See `EventStore`: by steps, so that there may be any number. @returns how many. */
  retry(filter: OwnFilter): Promise<number>;
  drop(filter: OwnFilter): Promise<number>;
  /** Rejects with `not-found` where nothing serves of that name, and `bad-request` where it takes no events. */
  redrive(filter: OwnFilter, to: string): Promise<number>;

  /** Null where the component takes no kept work. */
  backlog(component: string): Promise<BacklogStatus | null>;
  schedules(component: string): readonly ScheduleStatus[];
}
