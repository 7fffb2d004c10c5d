import type { CancelSignal } from '../base/cancel.ts';
import { asFulcrumError } from '../base/errors.ts';
import type { Dispatcher, InvocationControl, InvocationSeed } from '../model/dispatch.ts';
import type {
  Invocation,
  InvocationContext,
  InvocationEnd,
  InvocationResult,
  Returned,
} from '../model/invocation.ts';
import type { Slot } from '../model/slot.ts';

export interface AttemptOptions {
  readonly dispatcher: Dispatcher;
  readonly to: string;
  readonly seed: InvocationSeed & { readonly signal: CancelSignal };
  readonly invocation: Invocation;
  /** The result is there, while streams in it may be under way still. */
  readonly returned: () => void;
}

/** A call as it is begun once: one invocation of the component that is called. */
export class CallAttempt {
  /** Never rejects. Where the caller has gone it resolves at once: the callee may go on, and holds its slot, and nobody waits for that. */
  readonly ended: Promise<InvocationResult>;
  /** By when it must be over; null: it got no instance. */
  deadlineMs: number | null = null;
  /** Whether it came to a function that may be begun again. */
  idempotent = false;
  readonly #o: AttemptOptions;
  #isGivenUp = false;

  constructor(o: AttemptOptions) {
    this.#o = o;
    this.ended = this.#run();
  }

  async #run(): Promise<InvocationResult> {
    const { dispatcher, to, seed } = this.#o;
    const end = await this.#orGivenUp(
      dispatcher.run<InvocationResult>(to, seed, (slot, context, control) =>
        this.#work(slot, context, control),
      ),
    );
    return 'thrown' in end ? end : { ...end, value: null, thrown: null };
  }

  #work(slot: Slot, context: InvocationContext, control: InvocationControl): Promise<InvocationResult> {
    const { to, invocation } = this.#o;
    this.deadlineMs = context.deadlineMs;
    if (invocation.kind !== 'call') return slot.instance.invoke(invocation, context);
    this.idempotent = slot.instance.handlersOf(to)?.idempotent.includes(invocation.function) ?? false;
    const { onReturned } = invocation;
    if (onReturned === undefined) return slot.instance.invoke(invocation, context);
    const told = (returned: Returned): void => {
      // Nobody would read them.
      if (this.#isGivenUp) return returned.passed.forEach((body) => body.cancel());
      // What it was asked for has been answered in time; how long a stream lasts is another matter.
      if (returned.passed.length > 0) control.answered();
      this.#o.returned();
      onReturned(returned);
    };
    return slot.instance.invoke({ ...invocation, onReturned: told }, context);
  }

  #orGivenUp(running: Promise<InvocationResult | InvocationEnd>): Promise<InvocationResult | InvocationEnd> {
    const { signal } = this.#o.seed;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#isGivenUp = true;
        const error = asFulcrumError(signal.reason, 'client-gone');
        resolve({ outcome: error.code === 'timeout' ? 'timeout' : 'cancelled', error, cpuMs: 0 });
      };
      signal.addEventListener('abort', onAbort);
      void running.then((end) => {
        signal.removeEventListener('abort', onAbort);
        resolve(end);
      }, reject);
    });
  }
}
