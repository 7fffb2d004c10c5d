import type { MessageSaid } from '../../model/invocation.ts';
import { EVENT_MINOR } from './frames.ts';
import { MAX_PAYLOAD_BYTES } from './limits.ts';
import { readJson } from './messages.ts';
import { PayloadBuffer, type PayloadReader } from './payload-buffer.ts';
import { SaidLines } from './said-lines.ts';

type OnSaid = (said: MessageSaid) => void;

/**
 * The answer to a batch: what the handler has said of its messages, told as it comes.
 * @param onSaid null: nobody asks, so that all of it is kept, and is the answer's value: JSON `{ acked, retried }`, lists of ids.
 */
export function queueAnswer(minor: number, onSaid: OnSaid | null): PayloadReader {
  return minor >= EVENT_MINOR ? new SaidAnswer(onSaid) : new OldVerdict(onSaid);
}

class SaidAnswer implements PayloadReader {
  readonly #lines: SaidLines;
  readonly #kept = new Map<string, MessageSaid['as']>();
  #bytes = 0;

  constructor(onSaid: OnSaid | null) {
    this.#lines = new SaidLines(onSaid ?? (({ id, as }) => this.#kept.set(id, as)));
  }

  push(chunk: Buffer): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_PAYLOAD_BYTES) return false;
    this.#lines.push(chunk);
    return true;
  }

  take(): Uint8Array {
    this.#lines.end();
    const idsOf = (as: MessageSaid['as']): string[] =>
      [...this.#kept].flatMap(([id, said]) => (said === as ? [id] : []));
    return Buffer.from(JSON.stringify({ acked: idsOf('acked'), retried: idsOf('retried') }));
  }
}

/** Of an instance that says all of it at the end. */
class OldVerdict extends PayloadBuffer implements PayloadReader {
  readonly #onSaid: OnSaid | null;

  constructor(onSaid: OnSaid | null) {
    super();
    this.#onSaid = onSaid;
  }

  override take(): Uint8Array {
    const bytes = super.take();
    if (this.#onSaid !== null) tellAll(bytes, this.#onSaid);
    return bytes;
  }
}

function tellAll(bytes: Uint8Array, onSaid: OnSaid): void {
  const { acked, retried } = readJson(Buffer.from(bytes));
  for (const id of textsOf(acked)) onSaid({ id, as: 'acked', afterMs: null });
  for (const id of textsOf(retried)) onSaid({ id, as: 'retried', afterMs: null });
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
