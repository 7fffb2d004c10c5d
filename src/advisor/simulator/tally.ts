import type { Mode } from '../../model/app.ts';
import type { Simulated, Traffic } from '../../model/simulation.ts';
import { Histogram } from './histogram.ts';
import { MinuteTally } from './minute-tally.ts';

const QUANTILE_STEPS = 100;

/** Counts what a replay does. Times are in ms from the traffic's beginning; instances' are counted up to its end, invocations' beyond. */
export class Tally {
  /** Instances that live, that are at work, and invocations that are worked on: change them by the methods only. */
  living = 0;
  busy = 0;
  refused = 0;
  started = 0;

  readonly #component: string;
  readonly #fromMs: number;
  readonly #toMs: number;
  readonly #latenciesFromMs: number;
  readonly #minutes: MinuteTally;
  /** Of those that neither waited nor were held up by a start: latency and duration are one. */
  readonly #plain = new Histogram();
  readonly #latencies = new Histogram();
  readonly #durations = new Histogram();
  /** Made for the first: many functions have none. */
  #coldWaits: Histogram | null = null;
  #executed = 0;
  #cold = 0;
  #waited = 0;
  #waitedMs = 0;
  #wholeMs = 0;
  #hundreds = 0;
  #startMs = 0;
  #cpuMs = 0;
  #leastMs = Infinity;
  #mostMs = 0;

  /** @param latenciesFromMs of what arrives earlier everything counts but how long it took, in ms since the epoch. */
  constructor({ component, fromMs, toMs }: Traffic, latenciesFromMs: number) {
    this.#component = component;
    this.#fromMs = fromMs;
    this.#toMs = toMs;
    this.#latenciesFromMs = latenciesFromMs - fromMs;
    this.#minutes = new MinuteTally(fromMs, toMs);
  }

  /** Instances have begun (or, below 0, have ended). */
  lives(change: number, nowMs: number): void {
    this.#minutes.pass(nowMs, this.living, this.busy);
    this.living += change;
    if (change > 0) this.started += change;
  }

  /** An instance has nothing left to do. */
  rests(nowMs: number): void {
    this.#minutes.pass(nowMs, this.living, this.busy);
    this.busy--;
  }

  /** An invocation has begun; so many are now at work. @param isFirst its instance had nothing to do before. */
  began(inFlight: number, isFirst: boolean, nowMs: number): void {
    this.#minutes.pass(nowMs, this.living, this.busy);
    if (isFirst) this.busy++;
    this.#minutes.began(inFlight);
  }

  /** The one that has just begun did not wait, and it is certain how long it takes. */
  runsAtOnce(beganMs: number, durationMs: number, cpuMs: number): void {
    this.#atOnce(beganMs, durationMs, cpuMs);
    this.#minutes.runs(beganMs, durationMs, cpuMs);
  }

  /** As {@link runsAtOnce}, but it did wait. @param startMs of its wait, that for an instance's start; -1: it waited for none. */
  runs(beganMs: number, waitedMs: number, startMs: number, durationMs: number, cpuMs: number): void {
    this.#late(beganMs, waitedMs, startMs, durationMs, cpuMs);
    this.#minutes.runs(beganMs, durationMs, cpuMs);
  }

  /** As {@link runs}, but it began some time ago and is done. */
  ran(beganMs: number, waitedMs: number, startMs: number, durationMs: number, cpuMs: number): void {
    if (waitedMs === 0 && startMs < 0) this.#atOnce(beganMs, durationMs, cpuMs);
    else this.#late(beganMs, waitedMs, startMs, durationMs, cpuMs);
    this.#minutes.ran(beganMs, durationMs, cpuMs);
  }

  /** @param memoryBytes what each instance may have. */
  result(mode: Mode, memoryBytes: number): Simulated {
    this.#minutes.pass(this.#toMs - this.#fromMs, this.living, this.busy);
    this.#durations.merge(this.#plain);
    this.#latencies.merge(this.#plain);
    const { load, minutes, livedMs } = this.#minutes.result();
    return {
      used: {
        component: this.#component,
        mode,
        fromMs: this.#fromMs,
        toMs: this.#toMs,
        executed: this.#executed,
        internal: 0,
        refused: this.refused,
        cold: this.#cold,
        wholeMs: this.#wholeMs,
        hundredsMs: this.#hundreds * 100,
        startMs: this.#startMs,
        byteMs: this.#wholeMs * memoryBytes,
        cpuMs: this.#cpuMs,
        bytesIn: 0,
        bytesOut: 0,
        durations: this.#durations.buckets(),
        instances: {
          started: this.started,
          livedMs,
          heldByteMs: livedMs * memoryBytes,
          usedByteMs: null,
          cpuMs: this.#cpuMs,
        },
        load,
      },
      latencyQuantilesMs: this.#latencies.quantiles(QUANTILE_STEPS, this.#leastMs, this.#mostMs),
      latencies: this.#latencies.buckets(),
      coldWaits: this.#coldWaits?.buckets() ?? [],
      coldStarts: this.#cold,
      waited: this.#waited,
      waitedMs: this.#waitedMs,
      refused: this.refused,
      minutes,
    };
  }

  #atOnce(beganMs: number, durationMs: number, cpuMs: number): void {
    if (beganMs < this.#latenciesFromMs) this.#durations.add(durationMs);
    else {
      this.#plain.add(durationMs);
      if (durationMs < this.#leastMs) this.#leastMs = durationMs;
      if (durationMs > this.#mostMs) this.#mostMs = durationMs;
    }
    this.#count(durationMs, cpuMs);
  }

  #late(beganMs: number, waitedMs: number, startMs: number, durationMs: number, cpuMs: number): void {
    this.#waited++;
    this.#waitedMs += waitedMs;
    if (beganMs - waitedMs >= this.#latenciesFromMs) {
      const latencyMs = waitedMs + durationMs;
      this.#latencies.add(latencyMs);
      if (latencyMs < this.#leastMs) this.#leastMs = latencyMs;
      if (latencyMs > this.#mostMs) this.#mostMs = latencyMs;
    }
    let billedMs = durationMs;
    if (startMs >= 0) {
      this.#cold++;
      (this.#coldWaits ??= new Histogram()).add(waitedMs);
      this.#startMs += startMs;
      billedMs += startMs;
    }
    this.#durations.add(billedMs);
    this.#count(billedMs, cpuMs);
  }

  #count(billedMs: number, cpuMs: number): void {
    this.#executed++;
    this.#wholeMs += Math.ceil(billedMs);
    this.#hundreds += Math.ceil(billedMs / 100);
    this.#cpuMs += cpuMs;
  }
}
