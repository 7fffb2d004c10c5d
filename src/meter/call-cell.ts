import type { CallRecord } from '../model/calls.ts';
import { Sketch } from './sketch.ts';

/** The calls along one edge that ended in one minute. */
export class CallCell {
  readonly minute: number;
  count = 0;
  failed = 0;
  inProcess = 0;
  readonly #durations = new Sketch();

  static sum(cells: readonly CallCell[]): CallCell {
    const all = new CallCell(-1);
    for (const cell of cells) {
      all.count += cell.count;
      all.failed += cell.failed;
      all.inProcess += cell.inProcess;
      all.#durations.merge(cell.#durations);
    }
    return all;
  }

  constructor(minute: number) {
    this.minute = minute;
  }

  /** Of the sketch, as a measure of the memory that it takes. */
  get buckets(): number {
    return this.#durations.buckets;
  }

  /** @returns by how many buckets it has grown. */
  add(call: CallRecord): number {
    const before = this.#durations.buckets;
    this.count++;
    if (isFailure(call)) this.failed++;
    if (call.way === 'in-process') this.inProcess++;
    // Failed ones too: it is what the caller has waited.
    this.#durations.add(call.durationMs);
    return this.#durations.buckets - before;
  }

  /** Milliseconds. */
  quantile(q: number): number {
    return this.#durations.quantile(q) ?? 0;
  }
}

/** A caller who went away is no failure of the callee. */
export function isFailure({ outcome }: CallRecord): boolean {
  return outcome !== 'ok' && outcome !== 'cancelled';
}
