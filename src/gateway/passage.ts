import { FulcrumError } from '../base/errors.ts';
import type { CancelSignal } from '../base/cancel.ts';
import type { Carrier, InvocationControl, InvocationSeed } from '../model/dispatch.ts';
import type { BodySource, HttpExchange, RequestHead, ResponseSink } from '../model/http.ts';
import type { InvocationContext, InvocationEnd } from '../model/invocation.ts';
import type { Slot } from '../model/slot.ts';
import type { Exchange } from './exchange.ts';

/** A request's way through an instance: waits for a slot, is carried, and leaves nobody without an answer, whatever happens. */
export class Passage implements Carrier, InvocationSeed, HttpExchange {
  readonly requestId: string;
  readonly traceparent: string;
  readonly trigger = 'route';
  readonly signal: CancelSignal;
  readonly deadlineMs = null;
  readonly client = null;
  readonly affinityKey = null;
  readonly head: RequestHead;
  readonly body: BodySource | null;
  readonly response: ResponseSink;
  context!: InvocationContext;
  readonly #exchange: Exchange;
  #control: InvocationControl | null = null;

  constructor(exchange: Exchange, head: RequestHead, traceparent: string) {
    this.#exchange = exchange;
    this.requestId = exchange.requestId;
    this.traceparent = traceparent;
    this.signal = exchange.caller;
    this.head = head;
    this.body = exchange.body;
    this.response = exchange;
  }

  begin(slot: Slot, context: InvocationContext, control: InvocationControl): void {
    this.context = context;
    this.#control = control;
    this.#exchange.given(slot, control);
    slot.instance.http(this);
  }

  ended(end: InvocationEnd): void {
    const settled = this.#exchange.settle(end);
    this.#control!.status(this.#exchange.status);
    this.#control!.over(settled);
  }

  finished(end: InvocationEnd): void {
    // Where no slot was to be had nobody has answered yet; where one was, this does nothing.
    if (end.error !== null) this.#exchange.refuse(end.error);
    const { state } = this.#exchange;
    if (state === 'open' || state === 'streaming') {
      this.#exchange.refuse(new FulcrumError('internal', 'The request was not answered.'));
    }
    this.#exchange.release();
  }
}
