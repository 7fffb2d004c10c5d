/** Blocks that are let go are kept for the next read, the last first: memory that was just used is in the cache still. */
const MAX_SPARE = 16;

const spares = new Map<number, ReadBlock[]>();
/** The block whose bytes are being dealt with at this moment. */
let present: ReadBlock | null = null;

/** Memory that a socket reads into until somebody keeps a part of it. */
export class ReadBlock {
  readonly bytes: Buffer;
  /** The socket itself, and each who keeps a part. */
  #holders = 0;

  private constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  static take(lengthBytes: number): ReadBlock {
    const block = spares.get(lengthBytes)?.pop() ?? new ReadBlock(Buffer.allocUnsafeSlow(lengthBytes));
    block.keep();
    return block;
  }

  /** Whether anybody but the socket holds it. */
  get isKept(): boolean {
    return this.#holders > 1;
  }

  /** Its bytes stay as they are until {@link letGo} is called as often. */
  keep(): void {
    this.#holders++;
  }

  letGo(): void {
    if (--this.#holders > 0) return;
    const { length } = this.bytes;
    let spare = spares.get(length);
    if (spare === undefined) spares.set(length, (spare = []));
    if (spare.length < MAX_SPARE) spare.push(this);
  }
}

/**
 * A buffer for the reads of one socket. Each is dealt with before the next, so that one will do. What somebody must have for longer,
 * because it lies in a write that is not done, he keeps without a copy, and the socket reads into another from then on.
 */
export class ReadBuffer {
  readonly #length: number;
  #block: ReadBlock;

  constructor(lengthBytes: number) {
    this.#length = lengthBytes;
    this.#block = ReadBlock.take(lengthBytes);
  }

  /** Where the next read goes. */
  get bytes(): Buffer {
    return this.#block.bytes;
  }

  /**
   * Has `use` deal with what a read has put there, `lengthBytes` long.
   * @returns true: the socket is to read on.
   */
  dealt(lengthBytes: number, use: (bytes: Buffer) => void): boolean {
    const block = this.#block;
    present = block;
    try {
      use(block.bytes.subarray(0, lengthBytes));
    } finally {
      present = null;
    }
    if (block.isKept) {
      block.letGo();
      this.#block = ReadBlock.take(this.#length);
    }
    return true;
  }

  /** The socket reads no more. */
  release(): void {
    this.#block.letGo();
  }
}

/** The block that `view` is a part of, where it has just been read and may be kept; null where its owner may use it anew. */
export function readBlockOf(view: Uint8Array): ReadBlock | null {
  return present !== null && view.buffer === present.bytes.buffer ? present : null;
}
