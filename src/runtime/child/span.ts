import { randomBytes } from 'node:crypto';
import { wordHex } from '../../base/hex.ts';
import { randomWord } from '../../base/ids.ts';

const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
/** Of a `traceparent`: where the span begins, and where it ends. */
const SPAN_AT = 36;
const SPAN_END = 52;

/** A span of a trace (W3C Trace Context), as two words: its texts are made only for those who ask. */
export class Span {
  /** Of the span that the trace came in with; what is no such text is passed on as it is. */
  readonly #given: string;
  #words: { readonly high: number; readonly low: number } | null;

  private constructor(given: string, words: { readonly high: number; readonly low: number } | null) {
    this.#given = given;
    this.#words = words;
  }

  static of(traceparent: string): Span {
    return new Span(traceparent, null);
  }

  /** Of a trace that begins here. */
  static first(): Span {
    return new Span(
      `00-${randomBytes(16).toString('hex')}-${wordHex(randomWord())}${wordHex(randomWord())}-01`,
      null,
    );
  }

  /** A new one below it. */
  child(): Span {
    // All zeros stand for none.
    return new Span(this.#given, { high: randomWord(), low: randomWord() || 1 });
  }

  get words(): { readonly high: number; readonly low: number } {
    return (this.#words ??= wordsOf(this.#given));
  }

  /** What is done further on has this as its parent. */
  get traceparent(): string {
    const given = this.#given;
    if (this.#words === null || !TRACEPARENT.test(given)) return given;
    const { high, low } = this.#words;
    return `${given.slice(0, SPAN_AT)}${wordHex(high)}${wordHex(low)}${given.slice(SPAN_END)}`;
  }
}

function wordsOf(traceparent: string): { readonly high: number; readonly low: number } {
  if (!TRACEPARENT.test(traceparent)) return { high: 0, low: 0 };
  return {
    high: Number.parseInt(traceparent.slice(SPAN_AT, SPAN_AT + 8), 16),
    low: Number.parseInt(traceparent.slice(SPAN_AT + 8, SPAN_END), 16),
  };
}
