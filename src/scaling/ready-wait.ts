import type { Timer } from '../base/clock.ts';
import type { FulcrumError } from '../base/errors.ts';
import type { PooledInstance } from './pooled-instance.ts';

interface Waiting {
  readonly count: number;
  readonly resolve: () => void;
  readonly reject: (error: FulcrumError) => void;
  /** Until when there must be room for all of them; null where there is. */
  readonly limit: Timer | null;
}

/** Somebody waits until so many instances of a pool are ready: a deploy, or a mode switch. One at a time. */
export class ReadyWait {
  readonly #instances: readonly PooledInstance[];
  #waiting: Waiting | null = null;

  /** @param instances the pool's own list, as it changes. */
  constructor(instances: readonly PooledInstance[]) {
    this.#instances = instances;
  }

  /** Resolves when `count` are ready; rejects with what {@link look} or {@link reject} is given. */
  begin(count: number, limit: Timer | null): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting = { count, resolve, reject, limit };
    return promise;
  }

  /** Something has changed. @param error why one of them failed, so that with those that start they are too few; null: none did. */
  look(error: FulcrumError | null): void {
    if (this.#waiting === null) return;
    const { count, resolve } = this.#waiting;
    const ready = this.#count('ready');
    if (ready >= count) {
      resolve();
      this.#end();
    } else if (error !== null && ready + this.#count('starting') < count) {
      this.reject(error);
    }
  }

  /** There is nothing to wait for. Does nothing where nobody waits. */
  reject(error: FulcrumError): void {
    this.#waiting?.reject(error);
    this.#end();
  }

  #end(): void {
    this.#waiting?.limit?.cancel();
    this.#waiting = null;
  }

  #count(state: PooledInstance['state']): number {
    return this.#instances.reduce((sum, one) => sum + (one.state === state ? 1 : 0), 0);
  }
}
