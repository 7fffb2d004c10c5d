import type { InstanceUsage } from '../model/instance.ts';

/** An instance as far as its CPU time goes. */
export interface Measured {
  /** What it had used when last measured. */
  readonly usage: InstanceUsage | null;
}

interface Reading {
  readonly cpuMs: number;
  readonly atMs: number;
}

/**
 * How many cores a set of instances keeps busy, from what their processes had used at one measurement and at the one before. The
 * first of an instance counts nothing: what it used to start is no load.
 */
export class CpuMeter {
  #last = new Map<Measured, Reading>();

  /**
   * @param nowMs (monotonic) when `instances` were measured.
   * @returns cores, since the last call; null where none of them had been measured before.
   */
  read(instances: Iterable<Measured>, nowMs: number): number | null {
    const readings = new Map<Measured, Reading>();
    let cores: number | null = null;
    for (const one of instances) {
      if (one.usage === null) continue;
      const { cpuMs } = one.usage;
      readings.set(one, { cpuMs, atMs: nowMs });
      const before = this.#last.get(one);
      if (before === undefined || nowMs <= before.atMs) continue;
      cores = (cores ?? 0) + Math.max(0, cpuMs - before.cpuMs) / (nowMs - before.atMs);
    }
    this.#last = readings;
    return cores;
  }
}
