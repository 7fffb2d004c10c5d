import { asFulcrumError, FulcrumError } from '../../base/errors.ts';
import { systemClock } from '../../base/clock.ts';
import { fakeInstance } from './fake-instance.ts';
import type { Mode } from '../../model/app.ts';
import type { Carrier, Dispatcher, InvocationSeed, Work } from '../../model/dispatch.ts';
import type { InvocationContext, InvocationEnd } from '../../model/invocation.ts';
import type { Slot } from '../../model/slot.ts';
import type { Behaviour } from './fake-instance.ts';

export interface Ran {
  readonly component: string;
  readonly seed: InvocationSeed;
  end: InvocationEnd | null;
  status: number;
  answered: boolean;
}

/** Gives every invocation a slot on an instance in memory, or refuses it; keeps what the gateway told it. */
export class FakeDispatcher implements Dispatcher {
  readonly ran: Ran[] = [];
  readonly behaviours = new Map<string, Behaviour>();
  /** Set: no slot is to be had, and this is why. */
  refusal: FulcrumError | null = null;
  waitedMs = 7;
  startMs = 5;
  cold = true;
  mode: Mode = 'function';

  carry(component: string, seed: InvocationSeed, carrier: Carrier): void {
    const work: Work<InvocationEnd> = (slot, context, control) =>
      new Promise((resolve) => carrier.begin(slot, context, { ...control, over: resolve }));
    this.run(component, seed, work).then(
      (end) => carrier.finished(end),
      (error: unknown) => carrier.finished({ outcome: 'crashed', error: asFulcrumError(error), cpuMs: 0 }),
    );
  }

  async run<E extends InvocationEnd>(
    component: string,
    seed: InvocationSeed,
    work: Work<E>,
  ): Promise<E | InvocationEnd> {
    const ran: Ran = { component, seed, end: null, status: 0, answered: false };
    this.ran.push(ran);
    if (this.refusal !== null) return (ran.end = { outcome: 'refused', error: this.refusal, cpuMs: 0 });
    const behaviour = this.behaviours.get(component);
    if (behaviour === undefined) throw new FulcrumError('internal', `The test has no ${component}.`);
    const slot: Slot = {
      instance: fakeInstance('i_fake', behaviour),
      mode: this.mode,
      cold: this.cold,
      waitedMs: this.waitedMs,
      startMs: this.startMs,
      answered: () => undefined,
      release: () => undefined,
    };
    const context: InvocationContext = {
      component,
      call: null,
      requestId: seed.requestId,
      traceparent: seed.traceparent,
      trigger: seed.trigger,
      deadlineMs: systemClock.monotonicMs() + 30_000,
      signal: seed.signal!,
    };
    const end = await work(slot, context, {
      answered: () => void (ran.answered = true),
      status: (status) => void (ran.status = status),
      over: () => undefined,
    });
    ran.end = end;
    return end;
  }
}
