import type { Replica } from './replica.ts';

/** Invocations that are worked on, each in a slot that another has once it is over. */
export class Jobs {
  readonly #spare: number[] = [];
  readonly #replicas: Replica[] = [];
  #invocation = new Int32Array(64);
  #beganMs = new Float64Array(64);
  #startMs = new Float64Array(64);

  /** @param startMs how long it waited for its replica's start; -1: it waited for none. @returns its slot. */
  add(invocation: number, replica: Replica, beganMs: number, startMs: number): number {
    const job = this.#spare.pop() ?? this.#replicas.length;
    if (job >= this.#invocation.length) this.#grow();
    this.#replicas[job] = replica;
    this.#invocation[job] = invocation;
    this.#beganMs[job] = beganMs;
    this.#startMs[job] = startMs;
    return job;
  }

  remove(job: number): void {
    this.#spare.push(job);
  }

  replica(job: number): Replica {
    return this.#replicas[job]!;
  }

  invocation(job: number): number {
    return this.#invocation[job]!;
  }

  beganMs(job: number): number {
    return this.#beganMs[job]!;
  }

  startMs(job: number): number {
    return this.#startMs[job]!;
  }

  #grow(): void {
    const length = this.#invocation.length * 2;
    const invocation = new Int32Array(length);
    const beganMs = new Float64Array(length);
    const startMs = new Float64Array(length);
    invocation.set(this.#invocation);
    beganMs.set(this.#beganMs);
    startMs.set(this.#startMs);
    this.#invocation = invocation;
    this.#beganMs = beganMs;
    this.#startMs = startMs;
  }
}
