import { bindingFields, unsoundField } from '../base/binding-fields.ts';
import type { CancelSignal } from '../base/cancel.ts';
import type { Clock } from '../base/clock.ts';
import { asFulcrumError, FulcrumError } from '../base/errors.ts';
import { endToEnd } from '../base/hop-by-hop.ts';
import { childSpan, type ChildSpan } from '../base/trace-context.ts';
import type { BodySource } from '../model/body.ts';
import {
  failureText,
  isOutOfTime,
  outOfTimeText,
  refusalOf,
  stepOf,
  type CallRules,
  type WantedCall,
} from '../model/call-rules.ts';
import type { Caller, CallSink, FetchOrder } from '../model/calls.ts';
import type { Carrier, Dispatcher, InvocationControl, InvocationSeed } from '../model/dispatch.ts';
import type { HttpEnd, HttpExchange, RequestHead, ResponseHead, ResponseSink } from '../model/http.ts';
import type { CallStep, InvocationContext, InvocationEnd } from '../model/invocation.ts';
import type { Slot } from '../model/slot.ts';

export interface FetchCallerOptions extends CallRules {
  readonly dispatcher: Dispatcher;
  /** Takes every call that is over, those included that were never made. */
  readonly sink: CallSink;
  readonly clock: Clock;
}

/** Service bindings: a request is an invocation like any other, with its parent's request id, trace and deadline. Never begun again. */
export function createFetchCaller(options: FetchCallerOptions): Caller['fetch'] {
  return (from, to, order, parent) => {
    const wanted = { from, to, function: null, by: parent.call, requestId: parent.requestId };
    const passage = new FetchPassage(wanted, order, parent, options);
    const refusal = refusalOf(wanted, options);
    if (refusal !== null) passage.refuse(refusal);
    else if (isOutOfTime(parent, options.clock.monotonicMs())) passage.outOfTime();
    else options.dispatcher.carry(to, passage, passage);
  };
}

/**
 * A request's way through the component that it is for:
 *
 *   waiting ──head──▶ answering ──end──▶ answered ──▶ over
 *      └────────────────┴── failed, refused, given up ──▶ over
 *
 * `over` is what the caller sees. The callee may go on after it was given up, and holds its slot: nobody waits for that.
 */
class FetchPassage implements Carrier, InvocationSeed, HttpExchange {
  readonly requestId: string;
  readonly traceparent: string;
  readonly trigger = 'call';
  readonly call: CallStep;
  readonly signal: CancelSignal;
  readonly deadlineMs: number;
  readonly client = null;
  readonly affinityKey = null;
  readonly head: RequestHead;
  readonly body: BodySource | null;
  readonly response: ResponseSink;
  context!: InvocationContext;
  readonly #wanted: WantedCall;
  readonly #span: ChildSpan;
  readonly #order: FetchOrder;
  readonly #options: FetchCallerOptions;
  readonly #atMs: number;
  readonly #beganMs: number;
  #answeredMs: number | null = null;
  #control: InvocationControl | null = null;
  /** How the instance says that it ended. */
  #end: HttpEnd | null = null;
  #state: 'waiting' | 'answering' | 'answered' | 'over' = 'waiting';

  constructor(wanted: WantedCall, order: FetchOrder, parent: InvocationContext, options: FetchCallerOptions) {
    this.#wanted = wanted;
    this.#span = childSpan(parent.traceparent, Math.random);
    this.#order = order;
    this.#options = options;
    this.#atMs = options.clock.nowMs();
    this.#beganMs = options.clock.monotonicMs();
    this.requestId = parent.requestId;
    this.traceparent = this.#span.traceparent;
    this.call = stepOf(wanted);
    this.signal = parent.signal;
    this.deadlineMs = parent.deadlineMs;
    const { method, url, target, headers } = order.head;
    const hasBody = order.body !== null;
    const lengthBytes = order.body?.lengthBytes ?? null;
    const fields = bindingFields({ method, url, headers, hasBody, lengthBytes }, this);
    this.head = { method, url, target, headers: fields };
    this.body = order.body;
    this.response = this.#sink(order.response);
    parent.signal.addEventListener('abort', this);
  }

  begin(slot: Slot, context: InvocationContext, control: InvocationControl): void {
    this.context = context;
    this.#control = control;
    slot.instance.http(this);
  }

  ended(end: HttpEnd): void {
    this.#end = end;
    this.#control!.over(end);
  }

  finished(end: InvocationEnd): void {
    const thrown = end.error === this.#end?.error ? this.#end?.thrown : null;
    this.#over({ ...end, ...(thrown && { thrown }) });
  }

  refuse(error: FulcrumError): void {
    this.#tell({ outcome: 'refused', error, cpuMs: 0 });
  }

  outOfTime(): void {
    const error = new FulcrumError('timeout', outOfTimeText(this.#wanted));
    this.#over({ outcome: 'timeout', error, cpuMs: 0 });
  }

  /** Called by the parent's signal: nobody waits for the callee any more. */
  handleEvent(): void {
    const error = asFulcrumError(this.signal.reason, 'client-gone');
    const outcome = error.code === 'timeout' ? 'timeout' : 'cancelled';
    // Of an answer that was told whole the rest is the callee's own.
    if (this.#state !== 'answered') this.#over({ outcome, error, cpuMs: 0 });
  }

  #sink(response: ResponseSink): ResponseSink {
    return {
      head: (head) => {
        if (this.#state !== 'waiting') return;
        const passed = this.#passed(head);
        this.#answers(head.status);
        response.head(passed);
      },
      data: (chunk) => this.#state !== 'answering' || response.data(chunk),
      end: () => {
        if (this.#state !== 'answering') return;
        this.#state = 'answered';
        response.end();
      },
      ...(response.answer !== undefined && {
        answer: (head: ResponseHead, body: Uint8Array) => {
          if (this.#state !== 'waiting') return;
          const passed = this.#passed(head);
          this.#answers(head.status);
          this.#state = 'answered';
          response.answer!(passed, body);
        },
      }),
      onDrain: (resume) => response.onDrain(resume),
    };
  }

  #answers(status: number): void {
    this.#state = 'answering';
    this.#answeredMs = this.#options.clock.monotonicMs();
    this.#control!.status(status);
    this.#control!.answered();
  }

  /** The head as the caller may have it: another component's code has written it. Throws `bad-response`. */
  #passed({ status, headers }: ResponseHead): ResponseHead {
    const unsound = unsoundField(headers);
    if (unsound !== null) {
      const message = `The component answers with the header ${JSON.stringify(unsound)}, which HTTP cannot carry.`;
      throw new FulcrumError('bad-response', message);
    }
    return { status, headers: endToEnd(headers) };
  }

  #over(end: HttpEnd): void {
    if (end.error === null || end.thrown) return this.#tell(end);
    const { code, retryAfterS } = end.error;
    const error = new FulcrumError(code, failureText(this.#wanted, end.error), {
      cause: end.error,
      ...(retryAfterS !== null && { retryAfterS }),
    });
    this.#tell({ ...end, error });
  }

  #tell(end: HttpEnd): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.signal.removeEventListener('abort', this);
    this.#record(end);
    this.#order.ended(end);
  }

  #record({ outcome, error }: HttpEnd): void {
    const { clock, sink } = this.#options;
    sink.record({
      from: this.#wanted.from,
      to: this.#wanted.to,
      function: null,
      way: 'wire',
      outcome,
      code: error?.code ?? null,
      requestId: this.requestId,
      span: this.#span.span,
      parentSpan: this.#span.parentSpan,
      depth: this.call.depth,
      atMs: this.#atMs,
      durationMs: (this.#answeredMs ?? clock.monotonicMs()) - this.#beganMs,
      attempts: 1,
    });
  }
}
