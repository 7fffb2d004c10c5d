import type { FunctionModel, ServiceModel, Traffic } from '../../model/simulation.ts';
import type { Fault } from './bad-rows.ts';
import type { LogNormal } from './durations.ts';

/** From the first moment to before the second, in ms since the epoch. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** One function of a trace. Its arrivals are made when they are asked for, so that those of one function alone are in memory. */
export interface TracedFunction {
  readonly name: string;
  readonly arrivals: number;
  /** As the trace tells; null where it does not. */
  readonly memoryBytes: number | null;
  readonly span: Span;
  /** How it is replayed, where the trace tells its settings. */
  readonly models?: { readonly function: FunctionModel; readonly service: ServiceModel };
  /** Throws `trace-invalid` where there are more than can be held. */
  traffic(options: TrafficOptions): Traffic;
}

export interface TrafficOptions {
  /** Of the whole trace: a function that is seldom called has been there all the time. */
  readonly span: Span;
  readonly seed: number;
  /** Of each duration: how much is CPU time where the trace does not tell. 0 to 1. */
  readonly cpuShare: number;
}

/** Reads the lines of one format, of one file or of several of them in a row. */
export interface TraceReader {
  /** @param name of the file, without folder and ending. */
  begin(name: string): void;
  /** What is wrong with the line; null where it was taken, or is none of those that say anything. */
  read(line: string): Fault | null;
  finish(): ReadTrace;
}

export interface ReadTrace {
  readonly functions: readonly TracedFunction[];
  /** What is not in the trace and was assumed, as sentences. */
  readonly notes: readonly string[];
  /** Starts of instances that the trace tells of, in ms. */
  readonly startsMs: readonly number[];
}

export interface ReaderOptions {
  readonly seed: number;
  /** For invocations whose duration neither the trace nor others of the same function tell. */
  readonly durations: AssumedDurations;
  /** Of access logs: so many segments of the path make a component; 0: all is one. */
  readonly pathSegments: number;
}

export interface AssumedDurations {
  readonly distribution: LogNormal;
  /** `p50 100ms, p99 1s`. */
  readonly text: string;
}

/** More than that do not fit into memory beside what replays them: 16 bytes each. */
const MOST_ARRIVALS = 200_000_000;

/** How many arrivals are too many: the sentence for a `trace-invalid`; null where they are not. */
export function tooMany(name: string, arrivals: number): string | null {
  return arrivals <= MOST_ARRIVALS
    ? null
    : `${name} has ${arrivals.toLocaleString('en-GB')} arrivals; at most ${MOST_ARRIVALS.toLocaleString('en-GB')} of one function can be replayed. Give a shorter stretch of the trace.`;
}
