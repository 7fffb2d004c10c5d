import type { Clock } from '../base/clock.ts';
import {
  CALL_REST as REST,
  MAX_CALL_WINDOW_MS,
  type CallEdge,
  type CallGraph,
  type CallRecord,
  type CallSink,
} from '../model/calls.ts';
import { CallCell } from './call-cell.ts';
import { cut, owned } from './call-name.ts';
import { MINUTE_MS } from './cell-book.ts';

/** So many edges are told apart, and so many of one caller, that a component which makes names up spoils its own part only. */
const MAX_EDGES = 2_000;
const MAX_EDGES_FROM = 500;
/** What is held besides durations counts as so many buckets of a cell. */
const CELL_BUCKETS = 32;
/** Buckets of all cells together, 8 bytes each: beyond, the oldest minute is forgotten. */
const MAX_BUCKETS = 1_048_576;
/** Rates of a server that has just begun would be of no time at all. */
const LEAST_MS = 1_000;

export interface CallBookOptions {
  readonly clock: Clock;
  /** 2,000. */
  readonly maxEdges?: number;
  /** 500. */
  readonly maxEdgesFrom?: number;
  /** 1,048,576. */
  readonly maxBuckets?: number;
}

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly function: string | null;
  /** By minute, the latest last; never empty. */
  readonly cells: CallCell[];
}

/** By callee, then by function. */
type EdgesFrom = Map<string, Map<string | null, Edge>>;

/**
 * Who called whom in the last hour, of one app and all of its releases, by the minute in which calls ended. It is kept in memory only:
 * each server counts the calls that it has carried itself, and begins anew when it is started anew.
 *
 * What it holds is bounded whatever components do: edges beyond a number are counted together under {@link CALL_REST}, and where latencies
 * are spread so widely that they would need too much memory the oldest minutes go first.
 */
export class CallBook implements CallSink {
  readonly #clock: Clock;
  readonly #maxEdges: number;
  readonly #maxEdgesFrom: number;
  readonly #maxBuckets: number;
  readonly #beganMs: number;
  readonly #edges = new Map<string, EdgesFrom>();
  readonly #countFrom = new Map<string, number>();
  #count = 0;
  #buckets = 0;
  /** The minute that is being counted, and the first one of which all is still held; counted from when the book began. */
  #minute = 0;
  #firstMinute = 0;

  constructor(options: CallBookOptions) {
    this.#clock = options.clock;
    this.#maxEdges = options.maxEdges ?? MAX_EDGES;
    this.#maxEdgesFrom = options.maxEdgesFrom ?? MAX_EDGES_FROM;
    this.#maxBuckets = options.maxBuckets ?? MAX_BUCKETS;
    this.#beganMs = options.clock.monotonicMs();
  }

  /** How many edges are told apart now. */
  get edgeCount(): number {
    return this.#count;
  }

  /** Never far above what it may hold: the minute that is being counted is not forgotten. */
  get buckets(): number {
    return this.#buckets;
  }

  record(call: CallRecord): void {
    this.#turnTo(this.#clock.monotonicMs());
    const edge =
      this.#edges.get(call.from)?.get(call.to)?.get(call.function) ??
      this.#edgeOf(cut(call.from), cut(call.to), call.function === null ? null : cut(call.function));
    let cell = edge.cells.at(-1);
    if (cell?.minute !== this.#minute) {
      cell = new CallCell(this.#minute);
      edge.cells.push(cell);
      this.#buckets += CELL_BUCKETS;
    }
    this.#buckets += cell.add(call);
    if (this.#buckets > this.#maxBuckets) this.#makeRoom();
  }

  /**
   * The calls that ended within the last `windowMs` and the rest of the minute in which that begins, for they are counted by the minute.
   * @param windowMs at most {@link MAX_CALL_WINDOW_MS}.
   */
  graph(windowMs: number): CallGraph {
    const nowMs = this.#clock.monotonicMs() - this.#beganMs;
    this.#turnTo(this.#clock.monotonicMs());
    const asked = Math.min(Math.max(windowMs, 0), MAX_CALL_WINDOW_MS);
    const first = Math.max(this.#firstMinute, Math.floor((nowMs - asked) / MINUTE_MS), 0);
    const coveredMs = Math.max(nowMs - first * MINUTE_MS, LEAST_MS);
    const edges: CallEdge[] = [];
    for (const edge of this.#each()) {
      const cells = edge.cells.filter(({ minute }) => minute >= first);
      if (cells.length > 0) edges.push(edgeOf(edge, cells, coveredMs));
    }
    return { windowMs: coveredMs, edges: edges.toSorted((a, b) => b.count - a.count) };
  }

  #edgeOf(from: string, to: string, name: string | null): Edge {
    const known = this.#edges.get(from)?.get(to)?.get(name);
    if (known !== undefined) return known;
    // The rest of all is beyond the bound, and one.
    if (this.#count >= this.#maxEdges && from !== REST) return this.#edgeOf(REST, REST, REST);
    const ofFrom = this.#countFrom.get(from) ?? 0;
    // The caller's rest is the last of those that it may have.
    if (ofFrom >= this.#maxEdgesFrom - 1 && (to !== REST || name !== REST))
      return this.#edgeOf(from, REST, REST);
    const edge: Edge = { from: owned(from), to: owned(to), function: name && owned(name), cells: [] };
    let ofCaller = this.#edges.get(from);
    if (ofCaller === undefined) this.#edges.set(edge.from, (ofCaller = new Map()));
    let ofCallee = ofCaller.get(to);
    if (ofCallee === undefined) ofCaller.set(edge.to, (ofCallee = new Map()));
    ofCallee.set(edge.function, edge);
    this.#countFrom.set(edge.from, ofFrom + 1);
    this.#count++;
    return edge;
  }

  /** Once a minute, forgets what is older than the longest window. */
  #turnTo(monotonicMs: number): void {
    const minute = Math.floor((monotonicMs - this.#beganMs) / MINUTE_MS);
    if (minute <= this.#minute) return;
    this.#minute = minute;
    this.#forgetBefore(minute - MAX_CALL_WINDOW_MS / MINUTE_MS);
  }

  #makeRoom(): void {
    // A quarter at once, so that it is not done again for every call.
    const enough = this.#maxBuckets * 0.75;
    while (this.#buckets > enough && this.#firstMinute < this.#minute)
      this.#forgetBefore(Math.max(this.#oldest(), this.#firstMinute) + 1);
  }

  #oldest(): number {
    let oldest = this.#minute;
    for (const { cells } of this.#each()) oldest = Math.min(oldest, cells[0]!.minute);
    return Math.min(oldest, this.#minute - 1);
  }

  #forgetBefore(minute: number): void {
    if (minute <= this.#firstMinute) return;
    this.#firstMinute = minute;
    for (const edge of this.#each()) {
      const old = edge.cells.findIndex((cell) => cell.minute >= minute);
      for (const cell of edge.cells.splice(0, old === -1 ? edge.cells.length : old))
        this.#buckets -= cell.buckets + CELL_BUCKETS;
      if (edge.cells.length === 0) this.#remove(edge);
    }
  }

  #remove({ from, to, function: name }: Edge): void {
    const ofCaller = this.#edges.get(from)!;
    const ofCallee = ofCaller.get(to)!;
    ofCallee.delete(name);
    if (ofCallee.size === 0) ofCaller.delete(to);
    if (ofCaller.size === 0) this.#edges.delete(from);
    const left = this.#countFrom.get(from)! - 1;
    if (left === 0) this.#countFrom.delete(from);
    else this.#countFrom.set(from, left);
    this.#count--;
  }

  *#each(): Generator<Edge> {
    for (const ofCaller of this.#edges.values())
      for (const ofCallee of ofCaller.values()) yield* ofCallee.values();
  }
}

function edgeOf(edge: Edge, cells: readonly CallCell[], windowMs: number): CallEdge {
  const all = CallCell.sum(cells);
  return {
    from: edge.from,
    to: edge.to,
    function: edge.function,
    count: all.count,
    perSecond: all.count / (windowMs / 1_000),
    failed: all.failed,
    inProcess: all.inProcess,
    p50Ms: all.quantile(0.5),
    p95Ms: all.quantile(0.95),
    p99Ms: all.quantile(0.99),
  };
}
