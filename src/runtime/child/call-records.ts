import type { ErrorCode } from '../../base/errors.ts';
import type { Outcome } from '../../model/invocation.ts';
import { NO_TEXT, OUTCOMES, RECORD_BYTES } from '../wire/called-records.ts';
import { FRAME } from '../wire/frames.ts';
import { MAX_CALLED_BYTES, MAX_NAME_LENGTH } from '../wire/limits.ts';
import type { Link } from './link.ts';
import type { Span } from './span.ts';

export interface LocalRecord {
  readonly from: string;
  readonly to: string;
  readonly function: string | null;
  readonly requestId: string;
  readonly outcome: Outcome;
  readonly code: ErrorCode | null;
  readonly depth: number;
  readonly span: Span;
  readonly parentSpan: Span;
  /** Date.now() when it was made. */
  readonly atMs: number;
  readonly durationMs: number;
}

const FIRST_BYTES = 40 * 64;
const NUMBERS: Readonly<Record<Outcome, number>> = Object.fromEntries(
  OUTCOMES.map((outcome, i) => [outcome, i]),
) as Record<Outcome, number>;

/**
 * Calls that were made within the process, until the server is told of them: with whatever else this turn of the loop sends. What there is no
 * room for is counted.
 */
export class CallRecords {
  readonly #link: Link;
  /** Sees to it that {@link flush} is called when this turn of the loop ends; null: nobody is told yet. */
  #atTurnEnd: (() => void) | null = null;
  #records = Buffer.alloc(0);
  #used = 0;
  #texts = new Map<string, number>();
  #textBytes = 0;
  #dropped = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  /** From now on the server takes them. What was noted before, in a process that this one was forked from, say, is that one's. */
  begin(atTurnEnd: () => void): void {
    this.#atTurnEnd = atTurnEnd;
    this.#clear();
  }

  add(record: LocalRecord): void {
    if (this.#atTurnEnd === null) return;
    if (this.#used === 0) this.#atTurnEnd();
    if (this.#used + this.#textBytes + RECORD_BYTES > MAX_CALLED_BYTES || this.#texts.size >= NO_TEXT - 5) {
      this.#dropped++;
      return;
    }
    if (this.#used + RECORD_BYTES > this.#records.length) this.#grow();
    const at = this.#used;
    const bytes = this.#records;
    this.#used += RECORD_BYTES;
    bytes.writeUInt16LE(this.#text(record.from), at);
    bytes.writeUInt16LE(this.#text(record.to), at + 2);
    bytes.writeUInt16LE(this.#text(record.function), at + 4);
    bytes.writeUInt16LE(this.#text(record.code), at + 6);
    bytes.writeUInt16LE(this.#text(record.requestId), at + 8);
    bytes[at + 10] = NUMBERS[record.outcome];
    bytes[at + 11] = record.depth;
    const { words } = record.span;
    const parent = record.parentSpan.words;
    bytes.writeUInt32LE(words.high, at + 12);
    bytes.writeUInt32LE(words.low, at + 16);
    bytes.writeUInt32LE(parent.high, at + 20);
    bytes.writeUInt32LE(parent.low, at + 24);
    bytes.writeDoubleLE(record.atMs, at + 28);
    bytes.writeUInt32LE(Math.min(Math.max(Math.round(record.durationMs * 1_000), 0), 0xffff_ffff), at + 36);
  }

  /** This turn ends. Where the server reads slowly they wait, as far as there is room. */
  flush(): void {
    const { connection } = this.#link;
    if (this.#used === 0 || connection.state !== 'open' || connection.bufferedBytes > MAX_CALLED_BYTES)
      return;
    const texts = [...this.#texts.keys()].map((text) => Buffer.from(text));
    const textBytes = texts.reduce((sum, text) => sum + 2 + text.length, 0);
    let at = connection.writer.begin(FRAME.CALLED, 0, 0, 6 + textBytes + this.#used);
    const { slab } = connection.writer;
    slab.writeUInt32LE(Math.min(this.#dropped, 0xffff_ffff), at);
    slab.writeUInt16LE(texts.length, at + 4);
    at += 6;
    for (const text of texts) {
      slab.writeUInt16LE(text.length, at);
      slab.set(text, at + 2);
      at += 2 + text.length;
    }
    slab.set(this.#records.subarray(0, this.#used), at);
    this.#clear();
  }

  #clear(): void {
    this.#used = 0;
    this.#dropped = 0;
    this.#textBytes = 0;
    if (this.#texts.size > 0) this.#texts = new Map();
  }

  #text(text: string | null): number {
    if (text === null) return NO_TEXT;
    // What was called may have any name, if it was there or not.
    const kept = text.length <= MAX_NAME_LENGTH ? text : text.slice(0, MAX_NAME_LENGTH);
    const known = this.#texts.get(kept);
    if (known !== undefined) return known;
    const number = this.#texts.size;
    this.#texts.set(kept, number);
    this.#textBytes += 2 + 3 * kept.length;
    return number;
  }

  #grow(): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, 2 * this.#records.length));
    larger.set(this.#records.subarray(0, this.#used));
    this.#records = larger;
  }
}
