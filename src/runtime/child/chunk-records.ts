import { formatBytes } from '../../base/bytes.ts';
import { MAX_PAYLOAD_BYTES } from '../wire/limits.ts';

/**
 * What a stream or signal is on its way: records one behind the other, each of a byte that says its kind, the length of what follows
 * (u32, little-endian), and that. Components alone read it.
 */
export const RECORD = {
  /** A chunk that is a Uint8Array. */
  bytes: 0,
  /** Any other chunk, or a signal's reason, as `packValue` makes it. */
  value: 1,
  /** What the source failed with, as `packValue` makes it; nothing follows. */
  error: 2,
} as const;

export interface ChunkRecord {
  readonly kind: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const HEAD_BYTES = 5;

export function writeRecord(kind: number, bytes: Uint8Array): Uint8Array {
  const record = new Uint8Array(HEAD_BYTES + bytes.length);
  record[0] = kind;
  new DataView(record.buffer).setUint32(1, bytes.length, true);
  record.set(bytes, HEAD_BYTES);
  return record;
}

/** Puts records together from pieces of any length. */
export class RecordReader {
  readonly #head = new Uint8Array(HEAD_BYTES);
  #headBytes = 0;
  #body: Uint8Array<ArrayBuffer> | null = null;
  #bodyBytes = 0;
  readonly #whole: ChunkRecord[] = [];

  /** `piece` is not kept. Throws where it holds what is no record. */
  push(piece: Uint8Array): void {
    for (let at = 0; at < piece.length;)
      at += this.#body === null ? this.#pushHead(piece, at) : this.#pushBody(piece, at);
  }

  /** The next that is whole. */
  take(): ChunkRecord | undefined {
    return this.#whole.shift();
  }

  get hasWhole(): boolean {
    return this.#whole.length > 0;
  }

  /** Whether it ends within a record. */
  get isCutShort(): boolean {
    return this.#headBytes > 0;
  }

  #pushHead(piece: Uint8Array, at: number): number {
    const taken = Math.min(HEAD_BYTES - this.#headBytes, piece.length - at);
    this.#head.set(piece.subarray(at, at + taken), this.#headBytes);
    this.#headBytes += taken;
    if (this.#headBytes < HEAD_BYTES) return taken;
    const length = new DataView(this.#head.buffer).getUint32(1, true);
    if (this.#head[0]! > RECORD.error || length > MAX_PAYLOAD_BYTES)
      throw new Error(`A stream holds what is no chunk of at most ${formatBytes(MAX_PAYLOAD_BYTES)}.`);
    this.#body = new Uint8Array(length);
    this.#bodyBytes = 0;
    this.#settle();
    return taken;
  }

  #pushBody(piece: Uint8Array, at: number): number {
    const body = this.#body!;
    const taken = Math.min(body.length - this.#bodyBytes, piece.length - at);
    body.set(piece.subarray(at, at + taken), this.#bodyBytes);
    this.#bodyBytes += taken;
    this.#settle();
    return taken;
  }

  #settle(): void {
    const body = this.#body!;
    if (this.#bodyBytes < body.length) return;
    this.#whole.push({ kind: this.#head[0]!, bytes: body });
    this.#body = null;
    this.#headBytes = 0;
  }
}
