/** Shorter bodies lie in Node's own pool, and are copied into their frame. */
const MIN_BYTES = 16 * 1024;
const SMALLEST_BLOCK_BYTES = 32 * 1024;
const LARGEST_BLOCK_BYTES = 4 * 1024 * 1024;
/** Blocks that are kept for the next bodies hold no more than this together. */
const MAX_SPARE_BYTES = 8 * 1024 * 1024;

/** Which blocks are ours, and so may come back. */
const ours = new WeakSet<ArrayBufferLike>();
const spares = new Map<number, Buffer[]>();
let spareBytes = 0;

/**
 * Memory for a body of so many bytes that is on its way out. New memory for each of many long bodies would be zeroed by the system
 * page by page, and V8 would collect its whole heap for every few of them; so this comes back by {@link giveBack}, where it can.
 */
export function memoryFor(bytes: number): Buffer {
  if (bytes < MIN_BYTES) return Buffer.allocUnsafe(bytes);
  if (bytes > LARGEST_BLOCK_BYTES) return Buffer.allocUnsafeSlow(bytes);
  const size = blockBytes(bytes);
  let block = spares.get(size)?.pop();
  if (block === undefined) {
    block = Buffer.allocUnsafeSlow(size);
    ours.add(block.buffer);
  } else {
    spareBytes -= size;
  }
  return block.subarray(0, bytes);
}

/** Nobody uses `memory` any more. What is not of {@link memoryFor} is let go. */
export function giveBack(memory: Uint8Array): void {
  const { buffer } = memory;
  const size = buffer.byteLength;
  if (!ours.has(buffer) || spareBytes + size > MAX_SPARE_BYTES) return;
  spareBytes += size;
  let spare = spares.get(size);
  if (spare === undefined) spares.set(size, (spare = []));
  spare.push(Buffer.from(buffer));
}

function blockBytes(bytes: number): number {
  let size = SMALLEST_BLOCK_BYTES;
  while (size < bytes) size *= 2;
  return size;
}
