import { FulcrumError } from '../base/errors.ts';
import type { CancelSignal } from '../base/cancel.ts';
import type { Carrier, InvocationControl, InvocationSeed } from '../model/dispatch.ts';
import type { BodySource } from '../model/body.ts';
import type { HttpExchange, RequestHead, ResponseSink } from '../model/http.ts';
import type { InvocationContext, InvocationEnd } from '../model/invocation.ts';
import type { Slot } from '../model/slot.ts';
import { headOf, type Admission } from './admission.ts';
import type { AffinityMark } from './affinity.ts';
import { clientBehind } from './client-behind.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayParts } from './parts.ts';

/** A request's way through an instance: waits for a slot, is carried, and leaves nobody without an answer, whatever happens. */
export class Passage implements Carrier, InvocationSeed, HttpExchange {
  readonly requestId: string;
  readonly traceparent: string;
  readonly trigger = 'route';
  readonly signal: CancelSignal;
  readonly deadlineMs = null;
  readonly affinityKey: string | null;
  readonly head: RequestHead;
  readonly body: BodySource | null;
  readonly response: ResponseSink;
  context!: InvocationContext;
  readonly #parts: GatewayParts;
  readonly #admission: Admission;
  readonly #exchange: Exchange;
  readonly #cookieLine: string;
  #control: InvocationControl | null = null;

  /** @param mark null where its component's clients are all alike. */
  constructor(parts: GatewayParts, exchange: Exchange, admission: Admission, mark: AffinityMark | null) {
    this.#parts = parts;
    this.#admission = admission;
    this.#exchange = exchange;
    this.requestId = exchange.requestId;
    this.traceparent = admission.traceparent;
    this.signal = exchange.caller;
    this.head = headOf(admission, exchange.request.method, exchange.requestId, false);
    this.body = exchange.body;
    this.affinityKey = mark === null ? null : mark.key;
    this.#cookieLine = mark === null ? '' : mark.cookieLine;
    this.response = exchange;
  }

  /** Found out when it is asked for: most components do not tell clients apart. */
  get client(): string {
    const { view, release } = this.#admission;
    return clientBehind(view, this.#parts.proxies, release?.proxies ?? null);
  }

  get bytesIn(): number {
    return this.#exchange.bytesIn;
  }

  get bytesOut(): number {
    return this.#exchange.bytesOut;
  }

  begin(slot: Slot, context: InvocationContext, control: InvocationControl): void {
    this.context = context;
    this.#control = control;
    this.#exchange.given(slot, control);
    // A function's instances come and go: there is nothing to keep to.
    if (this.#cookieLine !== '' && slot.mode === 'service') this.#exchange.markLine = this.#cookieLine;
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
