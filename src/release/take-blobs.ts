import { FulcrumError, messageOf } from '../base/errors.ts';
import type { BlobStore } from '../model/blob-store.ts';
import { RELEASE_LIMITS, type ReleaseLimits } from './limits.ts';
import { tarEntries, type TarEntry } from './tar-entries.ts';

/** Blobs up to this size are kept beside each other, from memory; larger ones as they come, one at a time. */
const SMALL_BYTES = 64 * 1024;
const AT_ONCE = 8;

/**
 * Keeps the blobs of an uploaded archive, as it comes: a few small ones in memory at most. What came whole is kept, whatever follows it.
 * @returns how many there were.
 * @throws FulcrumError `blob-invalid`, and what the store rejects with.
 */
export async function takeBlobs(
  tar: AsyncIterable<Uint8Array>,
  blobs: Pick<BlobStore, 'put'>,
  limits: ReleaseLimits = RELEASE_LIMITS,
): Promise<{ readonly stored: number }> {
  const writing = new Set<Promise<void>>();
  let failure: unknown = null;
  let stored = 0;
  let totalBytes = 0;
  try {
    for await (const entry of tarEntries(tar)) {
      stored += 1;
      totalBytes += entry.sizeBytes;
      if (stored > limits.files || totalBytes > limits.totalBytes) throw tooMuch(limits);
      if (entry.sizeBytes > SMALL_BYTES) {
        await put(blobs, entry, entry.content);
      } else {
        const content = await whole(entry);
        if (writing.size >= AT_ONCE) await Promise.race(writing);
        const written = put(blobs, entry, [content])
          .catch((error: unknown) => void (failure ??= error))
          .finally(() => writing.delete(written));
        writing.add(written);
      }
      if (failure !== null) throw failure;
    }
  } finally {
    await Promise.all(writing);
  }
  if (failure !== null) throw failure;
  return { stored };
}

async function put(
  blobs: Pick<BlobStore, 'put'>,
  { digest, sizeBytes }: TarEntry,
  content: AsyncIterable<Uint8Array> | readonly Uint8Array[],
): Promise<void> {
  try {
    await blobs.put(
      digest,
      sizeBytes,
      Array.isArray(content) ? pieces(content) : (content as AsyncIterable<Uint8Array>),
    );
  } catch (error) {
    if (error instanceof FulcrumError) throw error;
    const full = (error as NodeJS.ErrnoException).code === 'ENOSPC' ? 'The disk is full: ' : '';
    throw new FulcrumError(
      'store-failed',
      `${full}the file ${digest} could not be kept: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}

async function* pieces(content: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* content;
}

async function whole(entry: TarEntry): Promise<Uint8Array> {
  const content = new Uint8Array(entry.sizeBytes);
  let filled = 0;
  for await (const piece of entry.content) {
    content.set(piece, filled);
    filled += piece.length;
  }
  return content;
}

function tooMuch(limits: ReleaseLimits): FulcrumError {
  return new FulcrumError(
    'blob-invalid',
    `The archive holds more than ${limits.files} files or ${limits.totalBytes} bytes. What came before is kept; send the rest in another.`,
  );
}
