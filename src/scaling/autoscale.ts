import type { Clock } from '../base/clock.ts';
import { CpuMeter, type Measured } from './cpu-meter.ts';
import type { Observed, ScaleMemory, ScaleView } from './snapshot.ts';
import { PANIC_MS, ROUND_MS, STABLE_MS } from './decide-service.ts';
import { LoadWindow } from './load-window.ts';

const NOTHING: Observed['cores'] = { stable: 0, panic: 0 };

/**
 * What the decisions on an autoscaled service go by: its load over time, and what the last one wanted remembered. Each revision has
 * one, and takes over what the one before knew. A service whose replicas are fixed has none.
 */
export class Autoscale {
  readonly #clock: Clock;
  readonly #cpus: number;
  readonly #cpu = new CpuMeter();
  #load: LoadWindow;
  /** Null until two measurements have told something. */
  #cores: LoadWindow | null = null;
  #memory: ScaleMemory;

  /**
   * @param wanted how many replicas there are to be until the first round.
   * @param cpus see {@link ScaleView}.
   */
  constructor(wanted: number, cpus: number, clock: Clock) {
    const nowMs = clock.monotonicMs();
    this.#clock = clock;
    this.#cpus = cpus;
    this.#load = new LoadWindow(STABLE_MS, nowMs);
    this.#memory = { wanted, why: null, panicUntilMs: null, nextRoundMs: nowMs + ROUND_MS };
  }

  /** Its replicas serve from now on. @param before those that did until now; null where they were no autoscaled service's. */
  begin(before: Autoscale | null): void {
    const nowMs = this.#clock.monotonicMs();
    const nextRoundMs = nowMs + ROUND_MS;
    if (before === null) {
      // While it was made ready it had no load, which says nothing of what it will have.
      this.#load = new LoadWindow(STABLE_MS, nowMs);
      this.#cores = null;
      this.#memory = { ...this.#memory, nextRoundMs };
      return;
    }
    this.#load = before.#load;
    this.#cores = before.#cores;
    this.#memory = { ...this.#memory, panicUntilMs: before.#memory.panicUntilMs, nextRoundMs };
  }

  /** So many invocations are in flight or wait, from now on. */
  setLoad(invocations: number): void {
    this.#load.set(invocations, this.#clock.monotonicMs());
  }

  view(nowMs: number): ScaleView {
    const observed = nowMs < this.#memory.nextRoundMs ? null : this.#observed(nowMs);
    return { memory: this.#memory, observed, cpus: this.#cpus };
  }

  /** @returns whether a round has passed, so that the CPU should be measured for the next. */
  remember(memory: ScaleMemory): boolean {
    const isRound = memory !== this.#memory;
    this.#memory = memory;
    return isRound;
  }

  /** @param instances just measured. */
  setUsage(instances: Iterable<Measured>): void {
    const nowMs = this.#clock.monotonicMs();
    const cores = this.#cpu.read(instances, nowMs);
    if (cores === null) return;
    this.#cores ??= new LoadWindow(STABLE_MS, nowMs);
    this.#cores.set(cores, nowMs);
  }

  #observed(nowMs: number): Observed {
    const averages = (window: LoadWindow): Observed['load'] => ({
      stable: window.average(STABLE_MS, nowMs),
      panic: window.average(PANIC_MS, nowMs),
    });
    return { load: averages(this.#load), cores: this.#cores === null ? NOTHING : averages(this.#cores) };
  }
}
