import { delayMs } from '../../sdk/delay.ts';
import type { QueueBatch, QueueMessage } from '../../sdk/handler-types.ts';
import type { MessageSaid } from '../../model/invocation.ts';

/** What a `queue` handler has said about its messages, by their ids; for a server that is told at the end. */
export interface QueueVerdict {
  readonly acked: readonly string[];
  readonly retried: readonly string[];
}

interface QueueDeliveryOptions {
  /** Told what is said of a message when it is, unless that was said of it before. */
  readonly onSaid: (said: MessageSaid) => void;
  /** Something was said when the invocation was over, for the first time. */
  readonly onLate: () => void;
}

/**
 * A batch as the handler gets it: its messages can be acknowledged or sent back one by one. The last word on one counts; what nothing was said about
 * is acknowledged if the handler ends well.
 *
 *   open ── the invocation's end ──▶ over: nothing that is said counts ── something is said ──▶ late: told, and not again
 */
export class QueueDelivery {
  readonly batch: QueueBatch;
  readonly #options: QueueDeliveryOptions;
  readonly #said = new Map<string, MessageSaid>();
  #state: 'open' | 'over' | 'late' = 'open';

  /** @param input what the server sends; see `Invocation` of kind `queue`. */
  constructor(input: unknown, options: QueueDeliveryOptions) {
    this.#options = options;
    const { messages } = fieldsOf(input);
    const given: unknown[] = Array.isArray(messages) ? messages : [];
    this.batch = { messages: given.map((message) => this.#message(fieldsOf(message))) };
  }

  /** From now on nothing that is said counts. */
  close(): void {
    if (this.#state === 'open') this.#state = 'over';
  }

  verdict(): QueueVerdict {
    const acked: string[] = [];
    const retried: string[] = [];
    for (const { id, as } of this.#said.values()) (as === 'acked' ? acked : retried).push(id);
    return { acked, retried };
  }

  #message(given: Readonly<Record<string, unknown>>): QueueMessage {
    const id = textOf(given['id']) ?? '';
    const base64 = textOf(given['data_base64']);
    return {
      id,
      type: textOf(given['type']) ?? '',
      source: textOf(given['source']) ?? '',
      subject: textOf(given['subject']),
      key: textOf(given['key']),
      data: base64 === null ? given['data'] : Uint8Array.from(Buffer.from(base64, 'base64')),
      contentType:
        textOf(given['contentType']) ?? (base64 === null ? 'application/json' : 'application/octet-stream'),
      time: numberOf(given['time']) ?? Date.now(),
      attempt: numberOf(given['attempt']) ?? 1,
      traceparent: textOf(given['traceparent']),
      ack: () => this.#say({ id, as: 'acked', afterMs: null }),
      retry: (options) => {
        const delay = options?.delay;
        const afterMs = delay === undefined ? null : delayMs(delay, `The message ${id} cannot be retried`);
        this.#say({ id, as: 'retried', afterMs });
      },
    };
  }

  #say(said: MessageSaid): void {
    if (this.#state !== 'open') {
      if (this.#state === 'over') this.#options.onLate();
      this.#state = 'late';
      return;
    }
    const before = this.#said.get(said.id);
    if (before?.as === said.as && before.afterMs === said.afterMs) return;
    this.#said.set(said.id, said);
    this.#options.onSaid(said);
  }
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}
