import { availableParallelism, cpus } from 'node:os';
import type { Clock } from '../base/clock.ts';

/** What all processors together have done since the machine began, in ms. */
export interface CpuTimes {
  readonly busyMs: number;
  readonly totalMs: number;
  readonly processors: number;
}

/** A look is good for so long, and compares with one at least as old. */
const SPAN_MS = 1_000;
/** What an older look says is an average over other times. */
const STALE_MS = 5_000;
/** Processors are never counted as busy in full. */
const USED_UP = 0.95;

/**
 * Whether the machine's processors are used up: measured over the last second, and only while somebody asks. Before there are two looks
 * nobody knows, and they are not.
 */
export class CpuWatch {
  readonly #clock: Clock;
  readonly #cpus: number;
  readonly #read: () => CpuTimes;
  #last: { readonly atMs: number; readonly times: CpuTimes } | null = null;
  #usedUp = false;

  /** @param budgetCpus how many may be busy. */
  constructor(clock: Clock, budgetCpus: number, read: () => CpuTimes = machineTimes) {
    this.#clock = clock;
    this.#cpus = budgetCpus;
    this.#read = read;
  }

  get usedUp(): boolean {
    const nowMs = this.#clock.monotonicMs();
    const last = this.#last;
    if (last !== null && nowMs - last.atMs < SPAN_MS) return this.#usedUp;
    const times = this.#read();
    this.#last = { atMs: nowMs, times };
    const spanMs = last === null ? Number.POSITIVE_INFINITY : nowMs - last.atMs;
    this.#usedUp = last !== null && spanMs <= STALE_MS && this.#busy(last.times, times) >= USED_UP;
    return this.#usedUp;
  }

  /** How much of the budget was used between two looks. */
  #busy(before: CpuTimes, after: CpuTimes): number {
    const totalMs = after.totalMs - before.totalMs;
    if (totalMs <= 0) return 0;
    const busyCpus = ((after.busyMs - before.busyMs) / totalMs) * after.processors;
    return busyCpus / this.#cpus;
  }
}

function machineTimes(): CpuTimes {
  let [busyMs, totalMs] = [0, 0];
  const processors = cpus();
  for (const { times } of processors) {
    const all = times.user + times.nice + times.sys + times.irq + times.idle;
    totalMs += all;
    busyMs += all - times.idle;
  }
  return { busyMs, totalMs, processors: processors.length };
}

/**
 * How many processors are busy when a budget of `cpus` is used up. In a container with a part of the machine, what is measured is the whole
 * machine's: there it is all of them, lest others' work count as ours.
 */
export function watchedCpus(cpuBudget: number): number {
  const processors = cpus().length;
  return availableParallelism() < processors ? processors : cpuBudget;
}
