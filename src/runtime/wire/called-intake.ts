import type { Clock } from '../../base/clock.ts';
import type { CallSink } from '../../model/calls.ts';
import { TokenBucket } from '../process/token-bucket.ts';
import { readCalled } from './called-records.ts';
import { MAX_CALLED_PER_S } from './limits.ts';

const TELL_EVERY_MS = 1_000;

export interface CalledIntakeOptions {
  /** Whom the instance holds. */
  readonly members: readonly string[];
  readonly sink: CallSink;
  readonly clock: Clock;
  /** Writes a line into the instance's log. */
  readonly say: (text: string) => void;
}

/**
 * Takes what a group's instance tells of the calls within its process. Each costs the instance next to nothing and us some microseconds, so no
 * more than {@link MAX_CALLED_PER_S} are read; how many were not is said once a second.
 */
export class CalledIntake {
  readonly #o: CalledIntakeOptions;
  readonly #room: TokenBucket;
  #dropped = 0;
  #telling = false;

  constructor(options: CalledIntakeOptions) {
    this.#o = options;
    this.#room = new TokenBucket(options.clock, MAX_CALLED_PER_S, MAX_CALLED_PER_S);
  }

  /** The payload of a CALLED. Throws `wire-protocol` where it is none. */
  take(payload: Buffer): void {
    const { members, sink, clock } = this.#o;
    const mostOf = (records: number): number => this.#room.takeUpTo(records);
    const { records, dropped } = readCalled(payload, members, clock.nowMs(), mostOf);
    for (const record of records) sink.record(record);
    if (dropped > 0) this.#drop(dropped);
  }

  #drop(calls: number): void {
    this.#dropped += calls;
    if (this.#telling) return;
    this.#telling = true;
    this.#o.clock.after(TELL_EVERY_MS, () => {
      const text = `(${this.#dropped} calls within the process are not in the log and the graph of calls: there were more at a time than are told)`;
      this.#telling = false;
      this.#dropped = 0;
      this.#o.say(text);
    });
  }
}
