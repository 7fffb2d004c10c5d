import type { Clock, Timer } from '../base/clock.ts';
import type { Health } from '../model/instance.ts';
import type { PooledInstance } from './pooled-instance.ts';

/** So many misses one after the other, and a replica is replaced. */
const MISSES = 3;
const LONGEST_CHECK_MS = 5_000;

/** Is told when a replica's health has turned. */
export interface HealthListener {
  failing(one: PooledInstance): void;
  recovered(one: PooledInstance): void;
}

/**
 * Asks each ready replica every `intervalMs` whether it answers. A check that is still under way when the next falls
 * due is waited for instead, so that a slow replica is not buried under questions.
 */
export class HealthWatch {
  readonly #misses = new WeakMap<PooledInstance, number>();
  readonly #underWay = new WeakSet<PooledInstance>();
  readonly #timer: Timer;
  readonly #checkMs: number;
  readonly #listener: HealthListener;

  constructor(
    clock: Clock,
    intervalMs: number,
    instances: () => Iterable<PooledInstance>,
    listener: HealthListener,
  ) {
    this.#checkMs = Math.min(intervalMs, LONGEST_CHECK_MS);
    this.#listener = listener;
    this.#timer = clock.every(intervalMs, () => {
      for (const one of instances()) if (one.state === 'ready') void this.#check(one);
    });
  }

  close(): void {
    this.#timer.cancel();
  }

  async #check(one: PooledInstance): Promise<void> {
    if (this.#underWay.has(one)) return;
    this.#underWay.add(one);
    const health = await one.instance!.healthy(this.#checkMs);
    this.#underWay.delete(one);
    if (one.state === 'ready') this.#judge(one, health);
  }

  #judge(one: PooledInstance, health: Health): void {
    if (health.healthy) {
      this.#misses.delete(one);
      if (one.failing === null) return;
      one.failing = null;
      this.#listener.recovered(one);
      return;
    }
    const misses = (this.#misses.get(one) ?? 0) + 1;
    this.#misses.set(one, misses);
    if (misses < MISSES || one.failing !== null) return;
    one.failing = `missed ${misses} health checks: ${health.reason}`;
    this.#listener.failing(one);
  }
}
