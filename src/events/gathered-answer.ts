import type { ResponseHead, ResponseSink } from '../model/http.ts';

/** Of an asynchronous request's answer, and of what a function returned to one. */
export const MOST_ANSWER_BYTES = 1024 ** 2;

/** The answer to an asynchronous request, as it is kept: whole, or without its body where that is too long. */
export class GatheredAnswer implements ResponseSink {
  #head: ResponseHead | null = null;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  readonly #begun: (status: number) => void;

  /** @param begun told its status. */
  constructor(begun: (status: number) => void) {
    this.#begun = begun;
  }

  get status(): number {
    return this.#head?.status ?? 0;
  }

  get fields(): readonly string[] {
    return this.#head?.headers ?? [];
  }

  get isTooLarge(): boolean {
    return this.#bytes > MOST_ANSWER_BYTES;
  }

  /** Empty where it is too large. */
  get body(): Uint8Array {
    return this.isTooLarge ? new Uint8Array() : Buffer.concat(this.#chunks);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The first of that name; null: there is none. */
  field(name: string): string | null {
    const { fields } = this;
    for (let i = 0; i + 1 < fields.length; i += 2)
      if (fields[i]!.toLowerCase() === name) return fields[i + 1]!;
    return null;
  }

  head(head: ResponseHead): void {
    this.#head = head;
    this.#begun(head.status);
  }

  data(chunk: Uint8Array): boolean {
    this.#bytes += chunk.length;
    // The handler is let come to its end all the same: what it does counts, not what it says of it.
    if (this.isTooLarge) this.#chunks = [];
    else this.#chunks.push(Uint8Array.from(chunk));
    return true;
  }

  end(): void {
    // The exchange's own end comes behind it.
  }

  onDrain(): void {
    // It is never full.
  }
}
