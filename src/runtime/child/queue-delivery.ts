/** What a `queue` handler has said about its messages, by their ids; the rest is acknowledged if the handler ends well. */
export interface QueueVerdict {
  readonly acked: readonly string[];
  readonly retried: readonly string[];
}

/** A batch as the handler gets it: its messages can be acknowledged or sent back one by one. The last word on one counts. */
export class QueueDelivery {
  readonly batch: unknown;
  readonly #said = new Map<string, 'acked' | 'retried'>();

  constructor(input: unknown) {
    const given = typeof input === 'object' && input !== null ? (input as Record<string, unknown>) : {};
    const messages = Array.isArray(given['messages']) ? (given['messages'] as unknown[]) : [];
    this.batch = { ...given, messages: messages.map((message) => this.#answerable(message)) };
  }

  verdict(): QueueVerdict {
    const acked: string[] = [];
    const retried: string[] = [];
    for (const [id, said] of this.#said) (said === 'acked' ? acked : retried).push(id);
    return { acked, retried };
  }

  #answerable(message: unknown): unknown {
    const fields =
      typeof message === 'object' && message !== null ? (message as Record<string, unknown>) : {};
    const id = typeof fields['id'] === 'string' ? fields['id'] : '';
    return {
      ...fields,
      ack: () => void this.#said.set(id, 'acked'),
      retry: () => void this.#said.set(id, 'retried'),
    };
  }
}
