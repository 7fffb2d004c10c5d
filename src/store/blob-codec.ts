import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { FulcrumError } from '../base/errors.ts';
import type { BlobPiece } from './operations/blobs.ts';

/** Bytes of a blob in one piece, before compression. */
const PIECE_BYTES = 1024 ** 2;
/** Shorter ones are not worth a try. */
const MIN_COMPRESSED_BYTES = 128;
/** A piece is kept compressed where that saves a tenth: packed archives and pictures are not unpacked in vain on each read. */
const WORTH_IT = 0.9;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

export async function encodePiece(number: number, bytes: Uint8Array): Promise<BlobPiece> {
  if (bytes.length >= MIN_COMPRESSED_BYTES) {
    const packed = await compress(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 3 } });
    // A copy of its own size: what zlib returns may lie in a larger piece of memory, which a message would take along.
    if (packed.length < bytes.length * WORTH_IT)
      return { number, encoding: 'zstd', bytes: new Uint8Array(packed) };
  }
  return { number, encoding: 'raw', bytes };
}

/** Throws an Error where the piece is damaged, or larger than a piece can be. */
export async function decodePiece({ encoding, bytes }: BlobPiece): Promise<Uint8Array> {
  switch (encoding) {
    case 'raw':
      return bytes;
    case 'zstd':
      return decompress(bytes, { maxOutputLength: PIECE_BYTES });
    default:
      throw new FulcrumError('store-failed', `'${String(encoding)}' is no encoding of a piece.`);
  }
}

/** The same bytes in pieces of {@link PIECE_BYTES}, but for the last. */
export async function* inPieces(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(PIECE_BYTES);
  let length = 0;
  for await (const chunk of content) {
    let rest = chunk;
    while (rest.length > 0) {
      const taken = rest.subarray(0, PIECE_BYTES - length);
      piece.set(taken, length);
      length += taken.length;
      rest = rest.subarray(taken.length);
      if (length < PIECE_BYTES) break;
      yield piece;
      piece = new Uint8Array(PIECE_BYTES);
      length = 0;
    }
  }
  if (length > 0) yield piece.slice(0, length);
}
