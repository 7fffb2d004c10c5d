import type { Clock } from '../base/clock.ts';
import { FulcrumError, asFulcrumError } from '../base/errors.ts';
import { Registry } from '../base/registry.ts';
import type { Mode } from '../model/app.ts';
import type { Carrier, Dispatcher, InvocationSeed, Work } from '../model/dispatch.ts';
import type { InvocationEnd } from '../model/invocation.ts';
import { revisionOf } from '../model/revision.ts';
import type { Slot, SlotSource } from '../model/slot.ts';
import type { UsageSink } from '../model/usage.ts';
import { type Deadline, Deadlines } from './deadlines.ts';
import { type InvocationHost, type Invoked, RunningInvocation } from './running-invocation.ts';

/** What a usage record says of an invocation that got no slot. */
export interface PresentComponent {
  readonly revision: string;
  readonly mode: Mode;
  readonly memoryBytes: number;
}

/** The scaler, as the dispatcher sees it. */
export interface DispatchSlots extends SlotSource {
  /** Null where there is no such component. */
  present(component: string): PresentComponent | null;
  /** When whoever is turned away may come again, in seconds. */
  retryAfterS(component: string): number;
}

export interface DispatcherOptions {
  readonly slots: DispatchSlots;
  readonly usage: UsageSink;
  readonly clock: Clock;
}

/** See {@link Dispatcher}. Where an instance is free, `work` is called before `run` returns. */
export class InvocationDispatcher implements Dispatcher, InvocationHost {
  readonly #slots: DispatchSlots;
  readonly #usage: UsageSink;
  readonly #clock: Clock;
  readonly #deadlines: Deadlines;
  readonly #running = new Registry<Invoked>();

  constructor(o: DispatcherOptions) {
    this.#slots = o.slots;
    this.#usage = o.usage;
    this.#clock = o.clock;
    this.#deadlines = new Deadlines(o.clock);
  }

  /** Invocations that wait or are at work. */
  get running(): number {
    return this.#running.size;
  }

  run<E extends InvocationEnd>(
    component: string,
    seed: InvocationSeed,
    work: Work<E>,
  ): Promise<E | InvocationEnd> {
    return new Promise((resolve) => this.carry(component, seed, promising(work, resolve)));
  }

  carry(component: string, seed: InvocationSeed, carrier: Carrier): void {
    let timeoutMs: number;
    try {
      timeoutMs = this.#slots.timeoutMs(component);
    } catch (error) {
      carrier.finished({ outcome: 'refused', error: asFulcrumError(error), cpuMs: 0 });
      return;
    }
    const invocation = new RunningInvocation(component, seed, timeoutMs, carrier, this);
    this.#running.add(invocation);
    if (seed.signal?.aborted) invocation.handleEvent();
    else if (invocation.deadlineMs <= invocation.arrivedMs) invocation.expire();
    else this.#dispatch(invocation);
  }

  /** Tells everything that waits or is at work to end, with `shutting-down` as its reason: at the end of a drain's time. */
  abortAll(): void {
    const error = new FulcrumError('shutting-down', 'The server shut down before this was finished.', {
      retryAfterS: 1,
    });
    for (const invocation of this.#running.all()) invocation.cut(error);
  }

  nowMs(): number {
    return this.#clock.monotonicMs();
  }

  retryAfterS(component: string): number {
    return this.#slots.retryAfterS(component);
  }

  after(delayMs: number, run: () => void): void {
    this.#clock.after(delayMs, run);
  }

  unwatch(invocation: Deadline): void {
    this.#deadlines.remove(invocation);
  }

  done(invocation: Invoked, end: InvocationEnd): void {
    this.#running.delete(invocation);
    const { slot, component, trigger, requestId, arrivedMs } = invocation;
    const present = slot === null ? this.#slots.present(component) : presentOf(slot, component);
    if (present === null) return;
    const nowMs = this.#clock.monotonicMs();
    const durationMs = (invocation.releasedAtMs ?? invocation.slotAtMs) - invocation.slotAtMs;
    const startMs = slot?.startMs ?? 0;
    this.#usage.record({
      component,
      revision: present.revision,
      mode: present.mode,
      trigger,
      outcome: end.outcome,
      requestId,
      // Who carries a request writes its status; where it was never begun, or ended before its head, the error's is told.
      status: invocation.httpStatus || (trigger === 'route' && end.error !== null ? end.error.status : 0),
      arrivedAtMs: this.#clock.nowMs() - (nowMs - arrivedMs),
      waitedMs: (slot === null ? nowMs : invocation.slotAtMs) - arrivedMs,
      startMs,
      durationMs,
      billedMs: slot?.mode === 'function' ? Math.ceil(startMs + durationMs) : 0,
      cpuMs: end.cpuMs,
      cold: slot?.cold ?? false,
      memoryBytes: present.memoryBytes,
      bytesIn: invocation.bytesIn,
      bytesOut: invocation.bytesOut,
    });
  }

  #dispatch(invocation: RunningInvocation): void {
    this.#deadlines.add(invocation);
    let slot: Slot | Promise<Slot>;
    try {
      slot = this.#slots.take(invocation.component, invocation);
    } catch (error) {
      invocation.refuse(error);
      return;
    }
    if (!('then' in slot)) {
      invocation.begin(slot);
      return;
    }
    slot.then(
      (given) => invocation.begin(given),
      (error: unknown) => invocation.refuse(error),
    );
  }
}

function promising<E extends InvocationEnd>(
  work: Work<E>,
  resolve: (end: E | InvocationEnd) => void,
): Carrier {
  return {
    begin: (slot, context, control) => {
      work(slot, context, control).then(
        (end) => control.over(end),
        (error: unknown) => control.over({ outcome: 'crashed', error: asFulcrumError(error), cpuMs: 0 }),
      );
    },
    finished: resolve,
  };
}

/** Memory is that of the instance: all that it holds is held for this invocation, whichever of its members that is of. */
function presentOf({ mode, instance: { revision } }: Slot, component: string): PresentComponent {
  const { id } = revisionOf(revision, component) ?? revision;
  return { revision: id, mode, memoryBytes: revision.spec[mode].memoryBytes };
}
