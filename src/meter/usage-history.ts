import { FulcrumError } from '../base/errors.ts';
import type { Mode } from '../model/app.ts';
import type { Outcome } from '../model/invocation.ts';
import type {
  Arrival,
  InstanceMinute,
  JoinedCalls,
  UsageGap,
  UsageMinute,
  UsagePage,
  UsageQuery,
  UsageRow,
  UsageStore,
} from '../model/usage-store.ts';
import { readArrivals } from './arrival-block.ts';
import { Sketch } from './sketch.ts';

const PAGE = 2_000;
const MAX_ARRIVALS = 1_000_000;
const DEFAULT_ROWS = 1_000;

/** A stretch of time, in ms since the epoch: from `fromMs`, before `toMs`. */
export interface UsageRange {
  /** Null: all components of the app. */
  readonly component: string | null;
  readonly fromMs: number;
  readonly toMs: number;
}

/** One component's minute in one mode, outcome and revision, whoever counted it, with its sketches opened. */
export interface MinuteUsage {
  readonly component: string;
  readonly revision: string;
  readonly mode: Mode;
  readonly outcome: Outcome;
  readonly minuteMs: number;
  readonly spanMs: number;
  count: number;
  cold: number;
  waitedMs: number;
  startMs: number;
  durationMs: number;
  billedMs: number;
  billedByteMs: number;
  wholeMs: number;
  wholeByteMs: number;
  /** Null where some of it was written before that was counted. */
  hundredsMs: number | null;
  internal: number;
  bytesIn: number;
  bytesOut: number;
  cpuMs: number;
  /** Of waited and duration together: what a caller felt. */
  readonly latency: Sketch;
  readonly duration: Sketch;
}

/** What instances of one component or group lived in one minute, in one mode and revision, whoever counted it. */
export type InstanceUsage = Mutable<Omit<InstanceMinute, 'part'>>;
/** The calls of one component by another within their processes in one hour, whoever counted them. */
export type JoinedCallUsage = Mutable<Omit<JoinedCalls, 'part'>>;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Reads an app's usage back. What was recorded in the last second may still be in the meter: flush it first where that matters. */
export class UsageHistory {
  readonly #app: string;
  readonly #store: UsageStore;

  constructor(app: string, store: UsageStore) {
    this.#app = app;
    this.#store = store;
  }

  /** By component and minute. One at a time, so that a month of them need not fit in memory. Throws `store-failed`. */
  async *minutes(range: UsageRange): AsyncGenerator<MinuteUsage> {
    // Parts of one minute come together, for the store sorts by component and minute.
    let group = new Map<string, MinuteUsage>();
    let current = '';
    for await (const part of this.#all((query) => this.#store.minutes(query), range)) {
      const at = `${part.minuteMs} ${part.component}`;
      if (at !== current) {
        yield* group.values();
        group = new Map();
        current = at;
      }
      const key = `${part.spanMs} ${part.mode} ${part.outcome} ${part.revision}`;
      const known = group.get(key);
      if (known === undefined) group.set(key, opened(part));
      else merge(known, part);
    }
    yield* group.values();
  }

  /**
   * What arrived at one component, in that order, by when it arrived and not when it ended. Throws `bad-request` where there are more
   * than `limit` (one million) in the range, for half of them would mislead a replay; `store-failed` as all of these.
   */
  async arrivals(range: UsageRange & { component: string }, limit = MAX_ARRIVALS): Promise<Arrival[]> {
    const arrivals: Arrival[] = [];
    const seen = new Set<string>();
    for await (const block of this.#all((query) => this.#store.arrivals(query), range)) {
      // A block that grew between two pages has moved back in the order and comes again.
      if (seen.has(block.part)) continue;
      seen.add(block.part);
      for (const arrival of readArrivals(block)) {
        if (arrival.arrivedAtMs >= range.fromMs && arrival.arrivedAtMs < range.toMs) arrivals.push(arrival);
      }
      if (arrivals.length > limit) {
        throw new FulcrumError(
          'bad-request',
          `"${range.component}" has more than ${limit} arrivals in this range; ask for a shorter one.`,
        );
      }
    }
    return arrivals.sort((a, b) => a.arrivedAtMs - b.arrivedAtMs);
  }

  /** By component and arrival; at most `limit` (1,000). Throws `store-failed`. */
  async rows(range: UsageRange, limit = DEFAULT_ROWS): Promise<UsageRow[]> {
    const rows: UsageRow[] = [];
    for await (const row of this.#all((query) => this.#store.rows(query), range)) {
      if (rows.length >= limit) break;
      rows.push(row);
    }
    return rows;
  }

  /** By unit and minute; the range's `component` is the unit. One at a time. Throws `store-failed`. */
  async *instances(range: UsageRange): AsyncGenerator<InstanceUsage> {
    const keyOf = (part: InstanceMinute): string => `${part.spanMs} ${part.mode} ${part.revision}`;
    const atOf = (part: InstanceMinute): string => `${part.minuteMs} ${part.unit}`;
    yield* summed(
      this.#all((query) => this.#store.instances(query), range),
      atOf,
      keyOf,
      addInstances,
    );
  }

  /** By callee and hour; the range's `component` is the callee. One at a time. Throws `store-failed`. */
  async *joinedCalls(range: UsageRange): AsyncGenerator<JoinedCallUsage> {
    const atOf = (part: JoinedCalls): string => `${part.hourMs} ${part.callee}`;
    yield* summed(
      this.#all((query) => this.#store.joinedCalls(query), range),
      atOf,
      (part) => part.caller,
      addCalls,
    );
  }

  /** Where usage may be missing, the oldest first; 1,000 at most: of more, the last holds all the rest. Rejects with `store-failed`. */
  gaps({ fromMs, toMs }: Pick<UsageRange, 'fromMs' | 'toMs'>): Promise<readonly UsageGap[]> {
    return this.#store.gaps(this.#app, fromMs, toMs);
  }

  async *#all<T>(ask: (query: UsageQuery) => Promise<UsagePage<T>>, range: UsageRange): AsyncGenerator<T> {
    let after: string | null = null;
    do {
      const page: UsagePage<T> = await ask({ ...range, app: this.#app, limit: PAGE, after });
      yield* page.items;
      after = page.next;
    } while (after !== null);
  }
}

/** Parts of the same, which come together as the store sorts them, as one. */
async function* summed<P extends { readonly part: string }>(
  parts: AsyncIterable<P>,
  atOf: (part: P) => string,
  keyOf: (part: P) => string,
  add: (into: Mutable<Omit<P, 'part'>>, part: P) => void,
): AsyncGenerator<Mutable<Omit<P, 'part'>>> {
  let group = new Map<string, Mutable<Omit<P, 'part'>>>();
  let current = '';
  for await (const one of parts) {
    const at = atOf(one);
    if (at !== current) {
      yield* group.values();
      group = new Map();
      current = at;
    }
    const key = keyOf(one);
    const known = group.get(key);
    if (known === undefined) {
      const { part: _, ...counts } = one;
      group.set(key, counts);
    } else {
      add(known, one);
    }
  }
  yield* group.values();
}

function addInstances(into: InstanceUsage, part: InstanceMinute): void {
  into.started += part.started;
  into.livedMs += part.livedMs;
  into.heldByteMs += part.heldByteMs;
  into.watchedMs += part.watchedMs;
  into.usedByteMs += part.usedByteMs;
  into.cpuMs += part.cpuMs;
}

function addCalls(into: JoinedCallUsage, part: JoinedCalls): void {
  into.count += part.count;
  into.failed += part.failed;
  into.durationMs += part.durationMs;
}

function opened(part: UsageMinute): MinuteUsage {
  const { part: _, latency, duration, ...counts } = part;
  return { ...counts, latency: Sketch.decode(latency), duration: Sketch.decode(duration) };
}

function merge(into: MinuteUsage, part: UsageMinute): void {
  into.count += part.count;
  into.cold += part.cold;
  into.waitedMs += part.waitedMs;
  into.startMs += part.startMs;
  into.durationMs += part.durationMs;
  into.billedMs += part.billedMs;
  into.billedByteMs += part.billedByteMs;
  into.wholeMs += part.wholeMs;
  into.wholeByteMs += part.wholeByteMs;
  into.hundredsMs = addOrNull(into.hundredsMs, part.hundredsMs);
  into.internal += part.internal;
  into.bytesIn += part.bytesIn;
  into.bytesOut += part.bytesOut;
  into.cpuMs += part.cpuMs;
  into.latency.merge(Sketch.decode(part.latency));
  into.duration.merge(Sketch.decode(part.duration));
}

/** Of what is not known in part, the whole is not known. */
function addOrNull(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}
