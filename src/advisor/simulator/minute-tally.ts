import type { Simulated } from '../../model/simulation.ts';
import type { MinuteLoad } from '../../model/used.ts';

const MINUTE_MS = 60_000;

/** What a replay does in each minute of the wall clock. Times are in ms from the traffic's beginning; what lies behind its end is left out. */
export class MinuteTally {
  /** The epoch's minute in which the traffic begins, and what of it had passed by then. */
  readonly #firstMs: number;
  readonly #offsetMs: number;
  readonly #endMs: number;
  readonly #living: Float64Array;
  readonly #busy: Float64Array;
  readonly #work: Float64Array;
  readonly #cpu: Float64Array;
  readonly #executed: Float64Array;
  readonly #busiest: Float64Array;
  #minute = 0;
  #minuteEndMs: number;
  #passedMs = 0;

  constructor(fromMs: number, toMs: number) {
    this.#firstMs = Math.floor(fromMs / MINUTE_MS) * MINUTE_MS;
    this.#offsetMs = fromMs - this.#firstMs;
    this.#endMs = toMs - fromMs;
    this.#minuteEndMs = MINUTE_MS - this.#offsetMs;
    // One more for what begins at the end or later, for it waited.
    const count = Math.ceil((toMs - this.#firstMs) / MINUTE_MS) + 1;
    [this.#living, this.#busy, this.#work, this.#cpu, this.#executed, this.#busiest] = Array.from(
      { length: 6 },
      () => new Float64Array(count),
    ) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  }

  /** Until `nowMs` so many instances have lived and were at work. */
  pass(nowMs: number, living: number, busy: number): void {
    const untilMs = nowMs < this.#endMs ? nowMs : this.#endMs;
    while (untilMs >= this.#minuteEndMs) {
      this.#add(this.#minuteEndMs, living, busy);
      this.#minute++;
      this.#minuteEndMs += MINUTE_MS;
    }
    if (untilMs > this.#passedMs) this.#add(untilMs, living, busy);
  }

  /** One more has begun to be worked on, which makes `inFlight`; {@link pass} has been told of the time until then. */
  began(inFlight: number): void {
    const minute = this.#minute;
    this.#executed[minute]! += 1;
    if (inFlight > this.#busiest[minute]!) this.#busiest[minute] = inFlight;
  }

  /** It began when {@link began} was told last, and is done or certain to be. */
  runs(beganMs: number, durationMs: number, cpuMs: number): void {
    const minute = this.#minute;
    if (beganMs + durationMs <= this.#minuteEndMs) {
      this.#work[minute]! += durationMs;
      this.#cpu[minute]! += cpuMs;
    } else {
      this.#spread(minute, this.#minuteEndMs - beganMs, durationMs, cpuMs);
    }
  }

  /** It began some time ago and is done. */
  ran(beganMs: number, durationMs: number, cpuMs: number): void {
    const passed = Math.floor((beganMs + this.#offsetMs) / MINUTE_MS);
    const minute = Math.min(passed, this.#work.length - 1);
    const leftMs = (minute + 1) * MINUTE_MS - this.#offsetMs - beganMs;
    if (durationMs <= leftMs) {
      this.#work[minute]! += durationMs;
      this.#cpu[minute]! += cpuMs;
    } else {
      this.#spread(minute, leftMs, durationMs, cpuMs);
    }
  }

  result(): { load: MinuteLoad[]; minutes: Simulated['minutes']; livedMs: number } {
    const load: MinuteLoad[] = [];
    const minutes: { minuteMs: number; living: number; busy: number }[] = [];
    let livedMs = 0;
    for (const [i, livingMs] of this.#living.entries()) {
      livedMs += livingMs;
      const minuteMs = this.#firstMs + i * MINUTE_MS;
      const fromMs = Math.max(0, i * MINUTE_MS - this.#offsetMs);
      const spanMs = Math.min(this.#endMs, (i + 1) * MINUTE_MS - this.#offsetMs) - fromMs;
      if (livingMs > 0) minutes.push({ minuteMs, living: livingMs / spanMs, busy: this.#busy[i]! / spanMs });
      const [executed, workMs, cpuMs] = [this.#executed[i]!, this.#work[i]!, this.#cpu[i]!];
      if (executed + workMs === 0) continue;
      // What began before is at work, too; how many of those at a time nobody counted where none has begun since.
      load.push({ minuteMs, executed, workMs, cpuMs, busiest: executed === 0 ? null : this.#busiest[i]! });
    }
    return { load, minutes, livedMs };
  }

  #add(untilMs: number, living: number, busy: number): void {
    const tookMs = untilMs - this.#passedMs;
    this.#living[this.#minute]! += living * tookMs;
    this.#busy[this.#minute]! += busy * tookMs;
    this.#passedMs = untilMs;
  }

  #spread(first: number, leftMs: number, durationMs: number, cpuMs: number): void {
    let restMs = durationMs;
    for (let minute = first, here = leftMs; restMs > 0 && minute < this.#work.length; minute++) {
      const tookMs = Math.min(restMs, Math.max(0, here));
      this.#work[minute]! += tookMs;
      this.#cpu[minute]! += (cpuMs * tookMs) / durationMs;
      restMs -= tookMs;
      here = MINUTE_MS;
    }
  }
}
