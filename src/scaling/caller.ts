import { sleep } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import { childSpan, type ChildSpan } from '../base/trace-context.ts';
import {
  failureText,
  isOutOfTime,
  outOfTimeText,
  refusalOf,
  stepOf,
  type WantedCall,
} from '../model/call-rules.ts';
import { MAX_CALL_ATTEMPTS, type Caller } from '../model/calls.ts';
import type {
  CallStep,
  Invocation,
  InvocationContext,
  InvocationResult,
  ThrownError,
} from '../model/invocation.ts';
import { CallAttempt } from './call-attempt.ts';
import { createFetchCaller, type FetchCallerOptions } from './fetch-caller.ts';
import { Repeats } from './repeats.ts';

export interface CallerOptions extends FetchCallerOptions {
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** Between the end of an instance and the next try, so that what has ended it may pass, and not all come back at once. */
const LEAST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 100;

/** How components reach each other: a call is an invocation like any other, with its parent's request id, trace, chain and deadline. */
export function createCaller(o: CallerOptions): Caller {
  const repeats = new Repeats();
  return {
    call: (from, to, invocation, parent) => new OneCall(o, repeats, { from, to, invocation, parent }).run(),
    fetch: createFetchCaller(o),
  };
}

interface CallOrder {
  readonly from: string;
  readonly to: string;
  readonly invocation: Invocation;
  readonly parent: InvocationContext;
}

/** One call of a named function, from its being asked for to its end. */
class OneCall {
  readonly #o: CallerOptions;
  readonly #repeats: Repeats;
  readonly #order: CallOrder;
  readonly #wanted: WantedCall;
  readonly #step: CallStep;
  readonly #span: ChildSpan;
  readonly #beganMs: number;
  readonly #atMs: number;
  #attempts = 0;
  /** When its result was there; null: it is not. Monotonic. */
  #returnedAtMs: number | null = null;

  constructor(o: CallerOptions, repeats: Repeats, order: CallOrder) {
    const { from, to, invocation, parent } = order;
    this.#o = o;
    this.#repeats = repeats;
    this.#order = order;
    const called = invocation.kind === 'call' ? invocation.function : null;
    this.#wanted = { from, to, function: called, by: parent.call, requestId: parent.requestId };
    this.#step = stepOf(this.#wanted);
    this.#span = childSpan(parent.traceparent, o.random);
    this.#beganMs = o.clock.monotonicMs();
    this.#atMs = o.clock.nowMs();
  }

  async run(): Promise<InvocationResult> {
    const refusal = refusalOf(this.#wanted, this.#o);
    const result = refusal === null ? await this.#unlessLate() : refused(refusal);
    this.#record(result);
    return result;
  }

  async #unlessLate(): Promise<InvocationResult> {
    if (!isOutOfTime(this.#order.parent, this.#beganMs)) return await this.#made();
    const error = new FulcrumError('timeout', outOfTimeText(this.#wanted));
    return this.#told({ outcome: 'timeout', error, cpuMs: 0, value: null, thrown: null });
  }

  async #made(): Promise<InvocationResult> {
    let deadlineMs = this.#order.parent.deadlineMs;
    for (;;) {
      const attempt = this.#begin(deadlineMs);
      const result = await attempt.ended;
      // The callee's own timeout is for all that is tried together.
      deadlineMs = attempt.deadlineMs ?? deadlineMs;
      if (!this.#mayRepeat(attempt, result) || !(await this.#paused(deadlineMs))) return this.#told(result);
      this.#repeats.repeats(this.#step);
    }
  }

  #begin(deadlineMs: number): CallAttempt {
    this.#attempts++;
    const { to, parent } = this.#order;
    return new CallAttempt({
      dispatcher: this.#o.dispatcher,
      to,
      seed: {
        call: this.#step,
        requestId: parent.requestId,
        traceparent: this.#span.traceparent,
        trigger: 'call',
        signal: parent.signal,
        deadlineMs,
        client: null,
        affinityKey: null,
      },
      invocation: this.#order.invocation,
      returned: () => void (this.#returnedAtMs ??= this.#o.clock.monotonicMs()),
    });
  }

  /** Only where nobody can be told that it was done, and it does no harm to do it again. */
  #mayRepeat({ idempotent }: CallAttempt, { outcome }: InvocationResult): boolean {
    const { invocation, parent } = this.#order;
    if (outcome !== 'crashed' || !idempotent || this.#attempts >= MAX_CALL_ATTEMPTS) return false;
    if (parent.signal.aborted || this.#returnedAtMs !== null) return false;
    if (invocation.kind === 'call' && (invocation.passed?.length ?? 0) > 0) return false;
    return this.#repeats.mayRepeat(this.#step);
  }

  /** @returns whether there is time left after it, and somebody who waits. */
  async #paused(deadlineMs: number): Promise<boolean> {
    const { clock, random } = this.#o;
    const pauseMs = LEAST_PAUSE_MS + random() * (LONGEST_PAUSE_MS - LEAST_PAUSE_MS);
    if (clock.monotonicMs() + pauseMs >= deadlineMs) return false;
    return await sleep(clock, pauseMs, this.#order.parent.signal).then(
      () => true,
      () => false,
    );
  }

  /** What the author's code threw is thrown again as it is; what else went wrong says where, and in which request. */
  #told(result: InvocationResult): InvocationResult {
    const { error, thrown } = result;
    if (error === null || thrown !== null) return result;
    return { ...result, value: null, thrown: asThrown(error, failureText(this.#wanted, error)) };
  }

  #record({ outcome, error }: InvocationResult): void {
    const { from, to, function: called, requestId } = this.#wanted;
    const { span, parentSpan } = this.#span;
    const code = outcome === 'ok' ? null : (error?.code ?? 'handler-error');
    this.#o.sink.record({
      ...{ from, to, function: called, way: 'wire', outcome, code, requestId, span, parentSpan },
      depth: this.#step.depth,
      atMs: this.#atMs,
      durationMs: (this.#returnedAtMs ?? this.#o.clock.monotonicMs()) - this.#beganMs,
      attempts: this.#attempts,
    });
  }
}

function refused(error: FulcrumError): InvocationResult {
  return { outcome: 'refused', error, cpuMs: 0, value: null, thrown: asThrown(error, error.message) };
}

/** The error as the calling side throws it: without our stack, which would tell its author nothing. */
function asThrown(error: FulcrumError, message: string): ThrownError {
  const { name, code, retryAfterS } = error;
  return { name, message, stack: null, code, cause: null, ...(retryAfterS !== null && { retryAfterS }) };
}
