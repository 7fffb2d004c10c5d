import { MAX_EVENT_DELAY_MS } from '../../base/event-limits.ts';
import type { MessageSaid } from '../../model/invocation.ts';
import { MAX_EVENT_TEXT_LENGTH, MAX_SAID_LENGTH } from './limits.ts';
import { protocolError } from './protocol-error.ts';

const NEWLINE = 0x0a;

export function writeSaid(said: MessageSaid): string {
  return `${JSON.stringify(said)}\n`;
}

/** What a `queue` handler says of its messages, a line each, read as the bytes come. Whatever is no such line breaks the protocol. */
export class SaidLines {
  readonly #onSaid: (said: MessageSaid) => void;
  #begun: Buffer | null = null;

  constructor(onSaid: (said: MessageSaid) => void) {
    this.#onSaid = onSaid;
  }

  /** @param chunk is not kept. */
  push(chunk: Buffer): void {
    const bytes = this.#begun === null ? chunk : Buffer.concat([this.#begun, chunk]);
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, from)) {
      this.#line(bytes.toString('utf8', from, end));
      from = end + 1;
    }
    const rest = bytes.length - from;
    if (rest > MAX_SAID_LENGTH) throw protocolError('too long a line about a message');
    this.#begun = rest === 0 ? null : Buffer.from(bytes.subarray(from));
  }

  /** Nothing follows. */
  end(): void {
    if (this.#begun !== null) throw protocolError('a line about a message cut short');
  }

  #line(text: string): void {
    if (text.length > MAX_SAID_LENGTH) throw protocolError('too long a line about a message');
    this.#onSaid(readSaid(text));
  }
}

function readSaid(text: string): MessageSaid {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw protocolError('a line about a message that is no JSON');
  }
  const { id, as, afterMs } = (value ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || id === '' || id.length > MAX_EVENT_TEXT_LENGTH)
    throw protocolError('a line about no message');
  if (as !== 'acked' && as !== 'retried') throw protocolError('a message that is neither acked nor retried');
  if (afterMs !== null && !isDelay(afterMs)) throw protocolError('a message to be retried at no time');
  return { id, as, afterMs: as === 'retried' ? afterMs : null };
}

function isDelay(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= MAX_EVENT_DELAY_MS;
}
