import type { Clock, Timer } from '../base/clock.ts';
import type { CallRecord, CallSink } from '../model/calls.ts';
import type { LogSink } from '../model/log.ts';
import { callLine } from './call-line.ts';

/** Of each caller so many calls of a second have a line of their own: the log is a ring, and one that calls in a loop would empty it of all others'. */
const MAX_LINES_PER_S = 1_000;
const SECOND_MS = 1_000;

export interface CallLinesOptions {
  readonly app: string;
  readonly log: LogSink;
  readonly clock: Clock;
}

/** The lines that an app's calls leave in the log. What has none is counted, and that is said once a second, in the log of who called. */
export class CallLines implements CallSink {
  readonly #o: CallLinesOptions;
  /** By caller, in the second that is being counted. */
  readonly #calls = new Map<string, number>();
  #secondMs: number;
  /** Ends a second in which something is to be told, where no call does. */
  #end: Timer | null = null;

  constructor(options: CallLinesOptions) {
    this.#o = options;
    this.#secondMs = options.clock.monotonicMs();
  }

  record(call: CallRecord): void {
    const { app, log, clock } = this.#o;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#secondMs >= SECOND_MS) this.#turn(nowMs);
    const count = (this.#calls.get(call.from) ?? 0) + 1;
    this.#calls.set(call.from, count);
    if (count <= MAX_LINES_PER_S) return log.write(callLine(app, call));
    this.#end ??= clock.after(this.#secondMs + SECOND_MS - nowMs, () => this.#turn(clock.monotonicMs()));
  }

  #turn(nowMs: number): void {
    for (const [from, count] of this.#calls) if (count > MAX_LINES_PER_S) this.#tell(from, count);
    this.#calls.clear();
    this.#secondMs = nowMs;
    this.#end?.cancel();
    this.#end = null;
  }

  #tell(component: string, calls: number): void {
    const { app, log, clock } = this.#o;
    const text = `(${calls - MAX_LINES_PER_S} calls that it made have no line of their own: of more than ${MAX_LINES_PER_S} in a second the others are only counted)`;
    const about = { app, component, stream: 'platform', level: 'warn', atMs: clock.nowMs() } as const;
    log.write({ ...about, text, instance: null, revision: null, requestId: null, fields: null });
  }
}
