import { FulcrumError } from '../base/errors.ts';
import type { Mode } from '../model/app.ts';
import type { Instance } from '../model/instance.ts';
import type { InvocationEnd } from '../model/invocation.ts';
import type { Slot } from '../model/slot.ts';
import type { PooledInstance } from './pooled-instance.ts';

/** Is told of a slot's invocation. */
export interface SlotOwner {
  /** It is the one that a replica is tried with: see `standing.ts`. */
  tried(one: PooledInstance): void;
  /** That one has begun to answer. @returns whether this was its verdict: then it is an invocation like others from now on. */
  trialAnswered(one: PooledInstance, httpStatus: number): boolean;
  /**
   * @param component which it was of.
   * @param httpStatus 0 where it had none.
   * @param isTrial a replica was tried with it, and there was no verdict yet.
   */
  released(
    one: PooledInstance,
    component: string,
    end: InvocationEnd,
    httpStatus: number,
    isTrial: boolean,
  ): void;
}

export class InstanceSlot implements Slot {
  readonly instance: Instance;
  readonly mode: Mode;
  readonly cold: boolean;
  readonly waitedMs: number;
  readonly startMs: number;
  readonly #one: PooledInstance;
  readonly #owner: SlotOwner;
  readonly #component: string;
  readonly #begunCpuMs: number;
  #isTrial: boolean;
  #released = false;

  /** @param arrivedMs when its invocation began to wait; null where it did not have to. */
  constructor(
    one: PooledInstance,
    owner: SlotOwner,
    component: string,
    arrivedMs: number | null,
    nowMs: number,
  ) {
    this.instance = one.instance!;
    this.mode = one.mode;
    // It waited for this very start: nobody has finished on the instance yet, and it arrived before it was ready.
    this.cold = arrivedMs !== null && one.served === 0 && one.readyAtMs >= arrivedMs;
    this.waitedMs = arrivedMs === null ? 0 : nowMs - arrivedMs;
    // Of several that waited for it the first bears the start: it was one.
    const bears = this.cold && one.inFlight === 0;
    this.startMs = bears ? one.readyAtMs - Math.max(one.startedAtMs, arrivedMs!) : 0;
    this.#one = one;
    this.#owner = owner;
    this.#component = component;
    this.#isTrial = one.standing.state === 'due';
    if (this.#isTrial) owner.tried(one);
    this.#begunCpuMs = one.life.begun();
    one.assign();
  }

  answered(httpStatus: number): void {
    if (!this.#isTrial || this.#released) return;
    if (this.#owner.trialAnswered(this.#one, httpStatus)) this.#isTrial = false;
  }

  release(end: InvocationEnd, httpStatus = 0): void {
    if (this.#released) {
      throw new FulcrumError('internal', `A slot of instance ${this.#one.id} was released twice.`);
    }
    this.#released = true;
    this.#one.life.worked(end.cpuMs, this.#begunCpuMs);
    this.#owner.released(this.#one, this.#component, end, httpStatus, this.#isTrial);
  }
}
