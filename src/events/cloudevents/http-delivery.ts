import { asFulcrumError, FulcrumError } from '../../base/errors.ts';
import type { Delivery } from '../../model/event-store.ts';
import type { BodyReader, BodySource } from '../../model/body.ts';
import type { RawHeaders, ResponseHead, ResponseSink } from '../../model/http.ts';
import type { Instance } from '../../model/instance.ts';
import type { InvocationContext, InvocationEnd } from '../../model/invocation.ts';
import type { Subscription } from '../../model/work-settings.ts';
import type { Slot } from '../../model/slot.ts';
import { quoted } from './invalid.ts';
import { readHttpDate, readRetryAfter } from './retry-after.ts';
import { writeCloudEvents } from './write.ts';

/** How a delivery over HTTP ended. */
export interface HttpDelivered extends InvocationEnd {
  /** What the program asked for with 429 or 503; null: it asked for nothing. */
  readonly retryAfterMs: number | null;
}

/** Of an answer that says what went wrong. */
const MOST_SHOWN_BYTES = 500;

/**
 * Sends deliveries to a program as CloudEvents: one request, as its subscription says. An answer of 2xx, once it has come whole,
 * acknowledges all of them; every other is an attempt that failed for all. Redirects are not followed (CloudEvents webhooks 1.0.2, 2.2).
 * The context's signal gives it up, with `timeout` as its outcome where it was the deadline's.
 *
 * @param deliveries one where the mode is `binary` or `structured`, and at least one where it is `batched`.
 * @param nowMs epoch ms, for a `Retry-After` that is a date.
 * @returns outcome `handler-error` where the program answered with another status: the error says which, and how its answer begins.
 * Rejects where the deliveries are not as many as the mode takes, or the component takes events in another way.
 */
export async function deliverOverHttp(
  instance: Pick<Instance, 'http'>,
  context: InvocationContext,
  deliveries: readonly Delivery[],
  { http }: Pick<Subscription, 'http'>,
  nowMs: () => number = Date.now,
): Promise<HttpDelivered> {
  if (http === null) throw new Error('The component does not take its events over HTTP.');
  const { fields, body } = writeCloudEvents(http.mode, deliveries);
  const answer = new Answer();
  const { promise, resolve } = Promise.withResolvers<InvocationEnd>();
  const attempt = Math.max(...deliveries.map((delivery) => delivery.attempt));
  instance.http({
    context,
    head: {
      method: 'POST',
      url: `http://localhost${http.path}`,
      target: http.path,
      headers: [
        ...['Host', 'localhost', 'User-Agent', 'fulcrum', 'X-Request-Id', context.requestId],
        ...['traceparent', context.traceparent, 'X-Fulcrum-Attempt', String(attempt)],
        ...fields,
        ...['Content-Length', String(body.length)],
      ],
    },
    body: new WholeBody(body),
    response: answer,
    ended: resolve,
  });
  const end = await promise;
  const { status } = answer;
  if (end.outcome !== 'ok' || (status >= 200 && status <= 299)) return { ...end, retryAfterMs: null };
  const asks = status === 429 || status === 503;
  return {
    outcome: 'handler-error',
    error: new FulcrumError(
      'handler-error',
      `The component answered POST ${http.path} with ${status}${answer.shown}.`,
      { details: { status } },
    ),
    cpuMs: end.cpuMs,
    retryAfterMs: asks ? answer.retryAfterMs(nowMs()) : null,
  };
}

/** What became of one of several deliveries. */
type Outcome =
  | { readonly as: 'done' }
  | { readonly as: 'failed'; readonly error: FulcrumError | null; readonly notBeforeMs: number | null };

/** Sends whatever is to be delivered to programs, in as many requests as the mode makes of it. */
export const cloudEventsDelivery = {
  /**
   * All in one request where the mode is `batched`, else one after the other. Never rejects.
   * @returns the first end that was none of the good ones, or a good one; `outcomes` as `deliveries`.
   */
  async deliver(
    deliveries: readonly Delivery[],
    subscription: Pick<Subscription, 'http'>,
    slot: Pick<Slot, 'instance'>,
    context: InvocationContext,
  ): Promise<InvocationEnd & { readonly outcomes: readonly Outcome[] }> {
    const outcomes: Outcome[] = [];
    let end: InvocationEnd = { outcome: 'ok', error: null, cpuMs: 0 };
    const requests =
      subscription.http?.mode === 'batched' ? [deliveries] : deliveries.map((delivery) => [delivery]);
    for (const sent of requests) {
      const { retryAfterMs, ...ended } = await settled(slot.instance, context, sent, subscription);
      if (end.outcome === 'ok') end = ended;
      const { error } = ended;
      for (let i = 0; i < sent.length; i++)
        outcomes.push(
          ended.outcome === 'ok' ? { as: 'done' } : { as: 'failed', error, notBeforeMs: retryAfterMs },
        );
    }
    return { ...end, outcomes };
  },
};

async function settled(
  instance: Pick<Instance, 'http'>,
  context: InvocationContext,
  deliveries: readonly Delivery[],
  subscription: Pick<Subscription, 'http'>,
): Promise<HttpDelivered> {
  try {
    return await deliverOverHttp(instance, context, deliveries, subscription);
  } catch (error) {
    return { outcome: 'refused', error: asFulcrumError(error), cpuMs: 0, retryAfterMs: null };
  }
}

/** What comes back: the status, and as much of the rest as an error tells. */
class Answer implements ResponseSink {
  status = 0;
  #headers: RawHeaders = [];
  #beginning = Buffer.alloc(0);

  head({ status, headers }: ResponseHead): void {
    this.status = status;
    this.#headers = headers;
  }

  data(chunk: Uint8Array): boolean {
    // One more, so that it is seen where there was more.
    const room = MOST_SHOWN_BYTES + 1 - this.#beginning.length;
    if (room > 0) this.#beginning = Buffer.concat([this.#beginning, chunk.subarray(0, room)]);
    return true;
  }

  end(): void {
    // How it ended is told by the exchange.
  }

  onDrain(): void {
    // It is never full.
  }

  /** How its body begins, as the end of a sentence. */
  get shown(): string {
    const text = this.#beginning.toString('utf8').trim();
    return text === '' ? '' : `: ${quoted(text, MOST_SHOWN_BYTES)}`;
  }

  retryAfterMs(nowMs: number): number | null {
    const value = this.#field('retry-after');
    if (value === null) return null;
    const date = this.#field('date');
    return readRetryAfter(value, (date === null ? null : readHttpDate(date)) ?? nowMs);
  }

  #field(name: string): string | null {
    for (let i = 0; i + 1 < this.#headers.length; i += 2)
      if (this.#headers[i]!.toLowerCase() === name) return this.#headers[i + 1]!;
    return null;
  }
}

/** Bytes that are here already, with the reader's pauses kept. */
class WholeBody implements BodySource {
  readonly lengthBytes: number;
  readonly #bytes: Uint8Array;
  #reader: BodyReader | null = null;
  #sent = false;
  #paused = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.lengthBytes = bytes.length;
  }

  read(reader: BodyReader): void {
    this.#reader = reader;
    // Whoever asks is not done with asking before this returns.
    queueMicrotask(() => this.#flow());
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#flow();
  }

  cancel(): void {
    this.#reader = null;
  }

  #flow(): void {
    if (this.#paused || this.#reader === null) return;
    if (!this.#sent && this.#bytes.length > 0) {
      this.#sent = true;
      this.#reader.data(this.#bytes);
    }
    // It may have asked to wait, or have given up.
    if (this.#paused) return;
    const reader = this.#reader;
    this.#reader = null;
    reader?.end();
  }
}
