import type { EnvSource } from './env-source.ts';

/** Of the events of an app. */
export interface EventSettings {
  /** What becomes of an event whose type no component takes. */
  readonly unmatched: 'keep' | 'refuse';
  /** How long a `dedupe` key is remembered. */
  readonly dedupeMs: number;
  /** Where the gateway takes CloudEvents; null: nowhere. */
  readonly endpoint: EventEndpoint | null;
}

export interface EventEndpoint {
  readonly host: string | null;
  /** An exact path. */
  readonly path: string;
  /** Who sends them shows it: `Authorization: Bearer …`. */
  readonly token: EnvSource;
}

/** Which events a component takes, and how. */
export interface Subscription {
  /** `order.paid`, `order.*`, `*`. */
  readonly types: readonly string[];
  /** How many events one invocation is given at most. What is tried again comes alone. */
  readonly batchSize: number;
  /** How long a batch that is not full is waited for. */
  readonly batchWaitMs: number;
  /** Invocations with its events at a time, on all nodes together; null: as many as it has instances for. */
  readonly concurrency: number | null;
  readonly retry: RetrySettings;
  /** Of a command: where and how it is sent CloudEvents; null for a module, whose `queue` handler takes them. */
  readonly http: { readonly path: string; readonly mode: CloudEventMode } | null;
}

export type CloudEventMode = 'binary' | 'structured' | 'batched';

export interface RetrySettings {
  /** Deliveries of one event, the first included. */
  readonly attempts: number;
  /** The longest pause before the second; doubled with each further one, up to `longestMs`. The pause is random between 0 and that. */
  readonly firstMs: number;
  readonly longestMs: number;
}

export interface AsyncSettings {
  /** Whether clients of the gateway may ask for it with `?async`. */
  readonly open: boolean;
  readonly retry: RetrySettings;
  /** How long a result can be asked for. */
  readonly keepMs: number;
  /** The type of the event that is published with the result; null: none is. */
  readonly onSuccess: string | null;
  readonly onFailure: string | null;
}

export interface Schedule {
  /** Within its component. The first has the name `schedule`, unless it is given another. */
  readonly name: string;
  readonly when: ScheduledAt;
  /** What becomes of ticks that were missed: the latest of them is run, or none. */
  readonly missed: 'run' | 'skip';
  /** What becomes of a tick while the one before is not done with. */
  readonly overlap: 'skip' | 'allow';
  readonly retry: RetrySettings;
}

export type ScheduledAt =
  /** Five fields, or six with seconds first. */
  | { readonly kind: 'cron'; readonly cron: string; readonly timeZone: string }
  /** At whole multiples of it since the epoch. */
  | { readonly kind: 'every'; readonly everyMs: number; readonly text: string }
  | { readonly kind: 'at'; readonly atMs: number };

/** What holds where the author says nothing. */
export const DEFAULT_RETRY: RetrySettings = { attempts: 5, firstMs: 1_000, longestMs: 900_000 };
export const DEFAULT_ASYNC: AsyncSettings = {
  open: false,
  retry: DEFAULT_RETRY,
  keepMs: 86_400_000,
  onSuccess: null,
  onFailure: null,
};
export const DEFAULT_EVENTS: EventSettings = { unmatched: 'keep', dedupeMs: 300_000, endpoint: null };

/** As an author writes it, without its time zone; what a `scheduled` handler is told. */
export function scheduleText(when: ScheduledAt): string {
  if (when.kind === 'cron') return when.cron;
  return when.kind === 'every' ? when.text : `@at ${new Date(when.atMs).toISOString()}`;
}
