import type { Clock } from '../base/clock.ts';
import { CALL_REST as REST, type CallRecord, type CallSink } from '../model/calls.ts';
import type { JoinedCalls } from '../model/usage-store.ts';
import { isFailure } from './call-cell.ts';
import { cut, owned } from './call-name.ts';
import { HOUR_MS } from './cell-book.ts';
import { amount } from './sane-record.ts';

/** So many pairs of components are told apart in an hour; what else is called counts together. */
const MAX_PAIRS = 2_000;
/** With so many that wait for the store no new hour begins: what is counted goes on in the one before. */
const MAX_WAITING = 4_000;

export interface JoinedCallBookOptions {
  readonly clock: Clock;
  /** Gives an id that was never given before. */
  readonly nextPart: () => string;
  /** 2,000. */
  readonly maxPairs?: number;
  /** 4,000. */
  readonly maxWaiting?: number;
}

interface Pair {
  readonly part: string;
  readonly caller: string;
  readonly callee: string;
  readonly hourMs: number;
  count: number;
  failed: number;
  durationMs: number;
  dirty: boolean;
}

/** Calls that stayed within the process of a group, by the hour in which they ended, on their way to the store. */
export class JoinedCallBook implements CallSink {
  readonly #clock: Clock;
  readonly #nextPart: () => string;
  readonly #maxPairs: number;
  readonly #maxWaiting: number;
  /** Of the hour that is being counted: by caller, then by callee. */
  #pairs = new Map<string, Map<string, Pair>>();
  #count = 0;
  #hourMs = -1;
  #dirty: Pair[] = [];

  constructor(options: JoinedCallBookOptions) {
    this.#clock = options.clock;
    this.#nextPart = options.nextPart;
    this.#maxPairs = options.maxPairs ?? MAX_PAIRS;
    this.#maxWaiting = options.maxWaiting ?? MAX_WAITING;
  }

  /** How many hold what is in no batch yet. */
  get waiting(): number {
    return this.#dirty.length;
  }

  /** Leaves out those that went over the wire: they are invocations. */
  record(call: CallRecord): void {
    if (call.way !== 'in-process') return;
    const hourMs = Math.floor(this.#clock.nowMs() / HOUR_MS) * HOUR_MS;
    if (hourMs !== this.#hourMs && (this.#hourMs < 0 || this.#dirty.length < this.#maxWaiting))
      this.#turnTo(hourMs);
    const pair = this.#pairs.get(call.from)?.get(call.to) ?? this.#pairOf(cut(call.from), cut(call.to));
    pair.count++;
    if (isFailure(call)) pair.failed++;
    pair.durationMs += amount(call.durationMs);
    if (pair.dirty) return;
    pair.dirty = true;
    this.#dirty.push(pair);
  }

  /** At most `limit` that changed since they were last taken, oldest change first. */
  take(limit: number): JoinedCalls[] {
    return this.#dirty.splice(0, limit).map((pair) => {
      pair.dirty = false;
      const { dirty: _, ...counts } = pair;
      return counts;
    });
  }

  #turnTo(hourMs: number): void {
    // Those that wait are kept by the list of them.
    this.#pairs = new Map();
    this.#count = 0;
    this.#hourMs = hourMs;
  }

  #pairOf(from: string, to: string): Pair {
    const known = this.#pairs.get(from)?.get(to);
    if (known !== undefined) return known;
    if (this.#count >= this.#maxPairs && from !== REST) return this.#pairOf(REST, REST);
    const pair: Pair = {
      part: this.#nextPart(),
      caller: owned(from),
      callee: owned(to),
      hourMs: this.#hourMs,
      count: 0,
      failed: 0,
      durationMs: 0,
      dirty: false,
    };
    let callees = this.#pairs.get(from);
    if (callees === undefined) this.#pairs.set(pair.caller, (callees = new Map()));
    callees.set(pair.callee, pair);
    this.#count++;
    return pair;
  }
}
