import { createHash, hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { FulcrumError, messageOf } from '../../base/errors.ts';
import type { BlobSource } from './hash-files.ts';

const BLOCK = 512;
const PIECE_BYTES = 256 * 1024;
/** Up to this size a file goes out in one piece: most are small, and a stream for each would take longer than all the rest. */
const WHOLE_BYTES = 256 * 1024;

/** Bytes of the archive that {@link blobTar} makes of blobs of these sizes. */
export function blobTarBytes(sizes: readonly number[]): number {
  return sizes.reduce((sum, size) => sum + BLOCK + Math.ceil(size / BLOCK) * BLOCK, 2 * BLOCK);
}

/**
 * An archive in the POSIX format (ustar) of plain files named by their digests, piece by piece.
 * @throws FulcrumError `package-failed` where a file is not any more what its digest says.
 */
export async function* blobTar(
  blobs: readonly (readonly [digest: string, source: BlobSource])[],
): AsyncGenerator<Buffer> {
  for (const [digest, blob] of blobs) {
    const padding = Buffer.alloc((BLOCK - (blob.sizeBytes % BLOCK)) % BLOCK);
    if (blob.sizeBytes <= WHOLE_BYTES) {
      yield Buffer.concat([header(digest, blob.sizeBytes), await whole(digest, blob), padding]);
      continue;
    }
    yield header(digest, blob.sizeBytes);
    yield* content(digest, blob);
    yield padding;
  }
  yield Buffer.alloc(2 * BLOCK);
}

function header(digest: string, sizeBytes: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const field = (at: number, value: number, digits: number): void => {
    block.write(value.toString(8).padStart(digits, '0'), at, 'latin1');
  };
  block.write(digest, 0, 'latin1');
  field(100, 0o644, 7);
  field(108, 0, 7);
  field(116, 0, 7);
  field(124, sizeBytes, 11);
  field(136, 0, 11);
  block.write('        ', 148, 'latin1');
  block.write('0', 156, 'latin1');
  block.write('ustar\u000000', 257, 'latin1');
  field(
    148,
    block.reduce((sum, byte) => sum + byte, 0),
    6,
  );
  block[154] = 0;
  return block;
}

async function whole(digest: string, blob: BlobSource): Promise<Buffer> {
  // One byte more than it should have: what a file that has grown holds now is nothing to read into memory.
  const buffer = Buffer.allocUnsafe(blob.sizeBytes + 1);
  let bytes: Buffer;
  try {
    const file = await open(blob.source, 'r');
    try {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      bytes = buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(blob, error);
  }
  if (bytes.length !== blob.sizeBytes || hash('sha256', bytes) !== digest) throw changed(blob);
  return bytes;
}

async function* content(digest: string, blob: BlobSource): AsyncGenerator<Buffer> {
  const sum = createHash('sha256');
  let sizeBytes = 0;
  try {
    for await (const piece of createReadStream(blob.source, {
      highWaterMark: PIECE_BYTES,
    }) as AsyncIterable<Buffer>) {
      sizeBytes += piece.length;
      // More than was announced would be read as the next header.
      if (sizeBytes > blob.sizeBytes) break;
      sum.update(piece);
      yield piece;
    }
  } catch (error) {
    throw unreadable(blob, error);
  }
  if (sizeBytes !== blob.sizeBytes || sum.digest('hex') !== digest) throw changed(blob);
}

function unreadable(blob: BlobSource, cause: unknown): FulcrumError {
  return new FulcrumError('package-failed', `${blob.path} cannot be read: ${messageOf(cause)}.`, { cause });
}

function changed(blob: BlobSource): FulcrumError {
  return new FulcrumError('package-failed', `${blob.path} has changed while it was uploaded. Deploy again.`);
}
