import { FulcrumError } from '../base/errors.ts';

/**
 * The few parts of a tar archive that blobs need: POSIX headers of plain files, each named by a digest. Everything else that archives
 * may hold (links, devices, long names, extended headers, sparse files, sizes beyond eight octal digits) is refused where a general
 * reader would interpret it. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html, "ustar Interchange Format".
 */
const BLOCK = 512;
/** Archives are padded to a multiple of what tapes took; more than a few of those are no padding. */
const MAX_PADDING_BYTES = 64 * 1024;

export interface TarEntry {
  /** 64 hex digits. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** To be read once; what is not read is passed over. Throws `blob-invalid` where the archive ends before it. */
  readonly content: AsyncIterable<Uint8Array>;
}

/**
 * The entries of an archive, in order, as it comes. One at a time: asking for the next passes over the rest of the one before.
 * @throws FulcrumError `blob-invalid`.
 */
export async function* tarEntries(tar: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const input = new TarInput(tar);
  try {
    for (let number = 1; ; number += 1) {
      const block = await input.block(number);
      if (block.every((byte) => byte === 0)) {
        await input.end();
        return;
      }
      const { digest, sizeBytes } = header(block, number);
      const content = input.content(sizeBytes, number);
      yield { digest, sizeBytes, content };
      for await (const _ of content) void _;
      await input.skip((BLOCK - (sizeBytes % BLOCK)) % BLOCK, number);
    }
  } finally {
    await input.close();
  }
}

function header(block: Buffer, number: number): { digest: string; sizeBytes: number } {
  const at = `Entry ${number} of the archive`;
  if (number_(block, 148, 8) !== checksum(block)) throw refused(`${at} has a damaged header.`);
  if (block.toString('latin1', 257, 265) !== 'ustar\u000000')
    throw refused(`${at} is not in the POSIX format (ustar).`);
  const type = String.fromCharCode(block[156]!);
  if (type !== '0' && type !== '\0') {
    throw refused(`${at} is ${TYPES[type] ?? 'of an unknown type'}. Only plain files are taken.`);
  }
  const name = block.toString('latin1', 0, 100).replace(/\0+$/, '');
  if (!/^[0-9a-f]{64}$/.test(name) || block[345] !== 0) {
    throw refused(`${at} is not named by a SHA-256: 64 hex digits in lower case, and no folder.`);
  }
  const sizeBytes = number_(block, 124, 12);
  if (sizeBytes === null) throw refused(`${at} has no valid size.`);
  return { digest: name, sizeBytes };
}

const TYPES: Readonly<Record<string, string>> = {
  '1': 'a hard link',
  '2': 'a symbolic link',
  '3': 'a device',
  '4': 'a device',
  '5': 'a folder',
  '6': 'a named pipe',
  '7': 'a contiguous file',
  x: 'an extended header',
  g: 'an extended header',
  L: 'a long name',
  K: 'a long name of a link',
  S: 'a sparse file',
};

/** Octal digits, then spaces or NULs; null for anything else, the base-256 form included. */
function number_(block: Buffer, from: number, length: number): number | null {
  const text = block.toString('latin1', from, from + length);
  const digits = /^ *([0-7]+)[ \0]*$/.exec(text)?.[1];
  return digits === undefined ? null : Number.parseInt(digits, 8);
}

function checksum(block: Buffer): number {
  let sum = 0;
  // The field itself counts as spaces.
  for (const [index, byte] of block.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte;
  return sum;
}

/** What is still to be read of an archive, cut to measure. Holds one piece of it at a time. */
class TarInput {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(tar: AsyncIterable<Uint8Array>) {
    this.#pieces = tar[Symbol.asyncIterator]();
  }

  async block(number: number): Promise<Buffer> {
    const block = Buffer.alloc(BLOCK);
    for (let filled = 0; filled < BLOCK;) {
      const piece = await this.#upTo(BLOCK - filled);
      if (piece === null) throw isGzip(block) ? compressed() : truncated(number);
      block.set(piece, filled);
      filled += piece.length;
    }
    if (isGzip(block)) throw compressed();
    return block;
  }

  /** A second reader of it goes on where the first has stopped. */
  content(sizeBytes: number, number: number): AsyncIterable<Uint8Array> {
    let left = sizeBytes;
    const next = async (): Promise<IteratorResult<Uint8Array>> => {
      if (left === 0) return { done: true, value: undefined };
      const piece = await this.#upTo(left);
      if (piece === null) throw truncated(number);
      left -= piece.length;
      return { done: false, value: piece };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  async skip(bytes: number, number: number): Promise<void> {
    for await (const _ of this.content(bytes, number)) void _;
  }

  /** After the first empty block: nothing but zeros, and not many. */
  async end(): Promise<void> {
    let bytes = 0;
    for (;;) {
      const piece = await this.#upTo(MAX_PADDING_BYTES);
      if (piece === null) return;
      bytes += piece.length;
      if (bytes > MAX_PADDING_BYTES || piece.some((byte) => byte !== 0)) {
        throw refused('Something follows the end of the archive.');
      }
    }
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  /** At least one byte and at most `bytes`; null at the end. */
  async #upTo(bytes: number): Promise<Uint8Array | null> {
    while (this.#rest.length === 0) {
      const next = await this.#pieces.next();
      if (next.done === true) return null;
      this.#rest = next.value;
    }
    const piece = this.#rest.subarray(0, bytes);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }
}

function isGzip(block: Buffer): boolean {
  return block[0] === 0x1f && block[1] === 0x8b;
}

function compressed(): FulcrumError {
  return refused('The archive is compressed. A plain tar is taken.');
}

function truncated(number: number): FulcrumError {
  return refused(`The archive ends in the middle of entry ${number}. What came whole before it is kept.`);
}

function refused(message: string): FulcrumError {
  return new FulcrumError('blob-invalid', message);
}
