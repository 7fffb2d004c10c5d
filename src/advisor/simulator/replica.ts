import type { Measured } from '../../scaling/cpu-meter.ts';
import type { ReplicaView } from '../../scaling/snapshot.ts';
import { EventHeap } from './event-heap.ts';

/**
 * A service's instance in a replay, as the scaler sees it, and its processors. They are shared by all that computes on it, each getting
 * as much as any other and none more than one: with n of them, as many as there are processors at full speed, else cpus / n each.
 * What an invocation is to compute is done once the replica has given so much to each that began with it: the replica's own time,
 * in which it ends where it began plus what it needs, whoever comes or goes meanwhile (Parekh and Gallager, "A generalized processor
 * sharing approach to flow control", IEEE/ACM Transactions on Networking 1, 1993).
 */
export class Replica implements ReplicaView, Measured {
  readonly id: string;
  /** What its events name it by. */
  readonly number: number;
  readonly ordinal: number;
  readonly startedMs: number;
  readonly failing = null;
  readonly ejected = false;
  state: 'starting' | 'ready' | 'draining' | 'ended' = 'starting';
  readyMs = 0;
  inFlight = 0;
  served = 0;
  idleSinceMs = 0;
  /** CPU time as {@link Measured} has it; brought up to date by {@link measure}. */
  usage: { cpuMs: number; memoryBytes: number } | null = null;
  /** When the next of its computations is done if nothing else happens; `Infinity`: it computes nothing. */
  nextMs = Infinity;
  /** For when an event is due that looks at it. */
  dueMs = Infinity;

  readonly #cpus: number;
  /** Invocations that compute, by when they are done in the replica's own time. */
  readonly #computing = new EventHeap();
  #ownMs = 0;
  #passedMs = 0;
  #usedMs = 0;

  constructor(number: number, ordinal: number, startedMs: number, cpus: number) {
    this.id = `r${number}`;
    this.number = number;
    this.ordinal = ordinal;
    this.startedMs = startedMs;
    this.#cpus = cpus;
  }

  /** An invocation begins to compute. */
  compute(job: number, cpuMs: number, nowMs: number): void {
    this.#pass(nowMs);
    this.#computing.push(this.#ownMs + cpuMs, job);
    this.#look(nowMs);
  }

  /** The job whose computation is done by now; -1: none. */
  computed(nowMs: number): number {
    if (nowMs < this.nextMs) return -1;
    // What is due is done, whatever rounding says.
    const ownMs = this.#computing.topMs;
    this.#pass(nowMs);
    this.#ownMs = ownMs;
    const job = this.#computing.pop();
    // Own time begins anew: it must not lose its precision over years.
    if (this.#computing.size === 0) this.#ownMs = 0;
    this.#look(nowMs);
    return job;
  }

  measure(nowMs: number): void {
    this.#pass(nowMs);
    this.usage = { cpuMs: this.#usedMs, memoryBytes: 0 };
  }

  #look(nowMs: number): void {
    const { topMs, size } = this.#computing;
    this.nextMs = size === 0 ? Infinity : nowMs + (topMs - this.#ownMs) / this.#speed();
  }

  #pass(nowMs: number): void {
    const { size } = this.#computing;
    if (size > 0) {
      const passedMs = nowMs - this.#passedMs;
      this.#ownMs += passedMs * this.#speed();
      this.#usedMs += passedMs * Math.min(size, this.#cpus);
    }
    this.#passedMs = nowMs;
  }

  #speed(): number {
    const { size } = this.#computing;
    return size > this.#cpus ? this.#cpus / size : 1;
  }
}
