import type { FileHandle } from 'node:fs/promises';
import type { CancelSignal } from '../../base/cancel.ts';
import type { ResponseSink } from '../../model/http.ts';

const CHUNK_BYTES = 64 * 1024;

/**
 * Writes `lengthBytes` bytes of a file from `first` on, as fast as `sink` takes them. Ends early when `signal` aborts, or
 * where the file has become shorter meanwhile. Never has more than one chunk in hand.
 */
export async function sendFile(
  handle: FileHandle,
  first: number,
  lengthBytes: number,
  sink: ResponseSink,
  signal: CancelSignal,
): Promise<void> {
  let wake: (() => void) | null = null;
  const onWake = (): void => wake?.();
  sink.onDrain(onWake);
  signal.addEventListener('abort', onWake, { once: true });
  let position = first;
  const end = first + lengthBytes;
  while (position < end && !signal.aborted) {
    const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, end - position));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0 || signal.aborted) break;
    position += bytesRead;
    if (sink.data(buffer.subarray(0, bytesRead)) || position === end) continue;
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (signal.aborted) resolve();
    });
  }
  signal.removeEventListener('abort', onWake);
}
