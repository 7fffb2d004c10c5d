import type { Mode } from './app.ts';
import type { Outcome } from './invocation.ts';
import type { UsageRecord } from './usage.ts';

/**
 * Where usage is kept. Everything in a batch carries a `part`: an id that its writer never gives twice. Appending a part again
 * replaces it, and what is sent is always the part's whole state so far. A batch may therefore be sent again after an unclear
 * failure, and a minute may be sent while it still grows, without anything being counted twice; no writer ever needs to read.
 * Sketches and arrival blocks are opaque here: `meter` writes and reads them.
 */
export interface UsageStore {
  /** All of `batch` or nothing of it. Survives the end of the process once acknowledged. Rejects with `store-failed`. */
  append(batch: UsageBatch): Promise<void>;
  /** Parts whose minute begins in the range, by component, minute and part. */
  minutes(query: UsageQuery): Promise<UsagePage<UsageMinute>>;
  /** Blocks that overlap the range, by component, last arrival and part. One that grows between two pages may come twice. */
  arrivals(query: UsageQuery): Promise<UsagePage<ArrivalBlock>>;
  /** Rows that arrived in the range, by component, arrival and part. */
  rows(query: UsageQuery): Promise<UsagePage<UsageRow>>;
  /** Deletes what is older or more than `limits` allow. In small steps, so that appends are not held up. */
  prune(limits: UsageLimits): Promise<void>;
}

/** Usage that the store has summed up by hours, for who looks at a month of it: a month of minutes is a million rows. */
export interface UsageHours {
  /** By hour; hours without usage are left out. Ask for a week at a time, so that the store is not kept from other work. Rejects with `store-failed`. */
  hours(query: UsageHoursQuery): Promise<readonly UsageHour[]>;
}

export interface UsageHoursQuery {
  /** Id of the app. */
  readonly app: string;
  readonly component: string;
  /** In ms since the epoch: from this moment… */
  readonly fromMs: number;
  /** …and before this one. */
  readonly toMs: number;
}

/** One component's hour: all modes, outcomes and revisions. What writers had to fold is in the hour that it begins in. */
export interface UsageHour {
  /** Start of the hour, in ms since the epoch. */
  readonly hourMs: number;
  readonly count: number;
  readonly refused: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly cpuMs: number;
  /** Of the minute that had most of each. What arrived in it, refused or not… */
  readonly minuteCount: number;
  /** …how long that kept instances busy, starts included… */
  readonly minuteWorkMs: number;
  /** …and its CPU time. */
  readonly minuteCpuMs: number;
}

export interface UsageBatch {
  /** Id of the app that all of it belongs to. */
  readonly app: string;
  readonly minutes: readonly UsageMinute[];
  readonly arrivals: readonly ArrivalBlock[];
  readonly rows: readonly UsageRow[];
}

/** What one writer counted for one component, minute, outcome, mode and revision. */
export interface UsageMinute {
  readonly part: string;
  readonly component: string;
  readonly revision: string;
  readonly mode: Mode;
  readonly outcome: Outcome;
  /** Start of the minute of arrival, in ms since the epoch. */
  readonly minuteMs: number;
  /** 60,000; an hour or a day where a writer had to fold minutes because the store was away for very long. */
  readonly spanMs: number;
  readonly count: number;
  readonly cold: number;
  readonly waitedMs: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly billedMs: number;
  /** Sum of billed ms times the memory setting in bytes: what GB-seconds are made of. */
  readonly billedByteMs: number;
  readonly cpuMs: number;
  /** Sketch of waited and duration together, encoded. */
  readonly latency: Uint8Array;
  /** Sketch of the duration alone, encoded. */
  readonly duration: Uint8Array;
}

/** A run of arrivals of one component in one mode, encoded in a few bytes each. */
export interface ArrivalBlock {
  readonly part: string;
  readonly component: string;
  readonly mode: Mode;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly bytes: Uint8Array;
}

/** One arrival, read back. */
export interface Arrival {
  readonly arrivedAtMs: number;
  /** Slot to end, to within 0.5 %. */
  readonly durationMs: number;
  readonly cold: boolean;
  /** It never reached an instance, so its duration says nothing. */
  readonly refused: boolean;
  readonly mode: Mode;
}

/** A whole record: of an error, a cold start or a sampled invocation. */
export interface UsageRow extends UsageRecord {
  readonly part: string;
}

export interface UsageQuery {
  /** Id of the app. */
  readonly app: string;
  /** Null: all components of the app. */
  readonly component: string | null;
  /** In ms since the epoch: from this moment… */
  readonly fromMs: number;
  /** …and before this one. */
  readonly toMs: number;
  /** At most so many; 1 to 10,000. */
  readonly limit: number;
  /** `next` of the page before; null for the first. */
  readonly after: string | null;
}

export interface UsagePage<T> {
  readonly items: readonly T[];
  /** Pass as `after` for the next page; null where this is the last. */
  readonly next: string | null;
}

/** What may be kept of an app. Moments are in ms since the epoch; counts and sizes are per component. */
export interface UsageLimits {
  readonly app: string;
  readonly minutesBeforeMs: number;
  readonly arrivalsBeforeMs: number;
  readonly arrivalBytes: number;
  readonly rowsBeforeMs: number;
  readonly rows: number;
}
