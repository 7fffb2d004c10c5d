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
  /** What instances lived in minutes that begin in the range, by unit, minute and part. The query's `component` is the unit. */
  instances(query: UsageQuery): Promise<UsagePage<InstanceMinute>>;
  /** Calls that stayed within a process, in hours that begin in the range, by callee, hour and part. The query's `component` is the callee. */
  joinedCalls(query: UsageQuery): Promise<UsagePage<JoinedCalls>>;
  /** The app's writers that are not closed, the oldest first. */
  writers(app: string): Promise<readonly UsageWriter[]>;
  /** Stretches in which usage may be missing that overlap the range, the oldest first; 1,000 at most: of more, the last holds all the rest. */
  gaps(app: string, fromMs: number, toMs: number): Promise<readonly UsageGap[]>;
  /**
   * Writes down what a writer that ended without a word may have lost, and that it is no more. The gap begins where the writer wrote last:
   * nothing happens where it has written since, or is no more.
   * @returns whether it did.
   */
  bury(app: string, writer: string, gap: UsageGap): Promise<boolean>;
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
  readonly instances: readonly InstanceMinute[];
  readonly joinedCalls: readonly JoinedCalls[];
  /** Who writes it, and that it lives; null: nobody asks after. */
  readonly writer: UsageWriter | null;
}

/**
 * Who holds usage in memory that is not written yet. A writer says with each batch, and now and then without one, when it last wrote; it
 * is closed once all is written. One that is found later and is not closed has ended without a word.
 */
export interface UsageWriter {
  /** Never given twice. */
  readonly id: string;
  /** The node that it runs on. */
  readonly node: string;
  /** In ms since the epoch. */
  readonly sinceMs: number;
  /** What came before was written. */
  readonly wroteMs: number;
  readonly closed: boolean;
}

/** Between the two moments, in ms since the epoch, usage may be missing: what was in a server's memory when it ended without a word. */
export interface UsageGap {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What one writer counted of the instances of one component or group, in one minute, mode and revision. */
export interface InstanceMinute {
  readonly part: string;
  readonly unit: string;
  readonly revision: string;
  readonly mode: Mode;
  readonly minuteMs: number;
  readonly spanMs: number;
  /** Those begun in it. */
  readonly started: number;
  /** How long instances lived in it, summed. */
  readonly livedMs: number;
  /** The same times the memory setting, in bytes × ms: what was held. */
  readonly heldByteMs: number;
  /** Of `livedMs`: in which somebody looked how much memory they have… */
  readonly watchedMs: number;
  /** …and that, in bytes × ms: what was used. */
  readonly usedByteMs: number;
  readonly cpuMs: number;
}

/** Calls within the processes of one group: no invocations, and billed to nobody, but they would be if the group were taken apart. */
export interface JoinedCalls {
  readonly part: string;
  readonly caller: string;
  readonly callee: string;
  /** Start of the hour. */
  readonly hourMs: number;
  readonly count: number;
  readonly failed: number;
  readonly durationMs: number;
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
  /** Start and duration of each that was executed, rounded up to whole ms, summed, in either mode. */
  readonly wholeMs: number;
  readonly wholeByteMs: number;
  /** The same, each rounded up to whole 100 ms; null in what was written before that was counted. */
  readonly hundredsMs: number | null;
  /** Of `count`: calls by other components. */
  readonly internal: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
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
  /** Of counts: minutes, instances, calls within processes, gaps. */
  readonly minutesBeforeMs: number;
  readonly arrivalsBeforeMs: number;
  readonly arrivalBytes: number;
  readonly rowsBeforeMs: number;
  readonly rows: number;
}
