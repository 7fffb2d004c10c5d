import { types } from 'node:util';

/**
 * How many bytes a value takes at most that is no object, with what stands around it: as JSON, where a character may take six, and in the
 * engine's format, whichever is more.
 */
export function mostBytesOf(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return mostBytesOfText(value);
    case 'number':
      return MOST_NUMBER_BYTES;
    case 'bigint':
      // Two digits are a byte.
      return value.toString(16).length + MOST_OTHER_BYTES;
    case 'boolean':
    case 'undefined':
    case 'object':
    case 'function':
    case 'symbol':
      return MOST_OTHER_BYTES;
  }
}

export function mostBytesOfText(text: string): number {
  return 6 * text.length + MOST_OTHER_BYTES;
}

/** The same of those among them that are texts. */
export function mostBytesOfTexts(...values: readonly unknown[]): number {
  return values.reduce<number>(
    (most, value) => most + (typeof value === 'string' ? mostBytesOfText(value) : 0),
    0,
  );
}

/** The same of a list of these that JSON does not tell: the engine writes a number in nine bytes. */
export function mostBytesOfList(list: readonly unknown[]): number {
  let most = MOST_OBJECT_BYTES;
  for (const item of list) most += typeof item === 'number' ? MOST_OTHER_BYTES : mostBytesOf(item);
  return most;
}

/** What an object takes beside what is in it, wherever it stands. */
export const MOST_OBJECT_BYTES = 32;
/** Punctuation, tags, lengths and padding. */
const MOST_OTHER_BYTES = 16;
const MOST_NUMBER_BYTES = 32;

/** What the memory takes that is in a value, or that it is a view of; null where that is something else. */
export function memoryBytesOf(value: object): number | null {
  if (types.isAnyArrayBuffer(value)) return bytesOf(value);
  return ArrayBuffer.isView(value) ? bytesOf(value.buffer) : null;
}

function bytesOf({ byteLength }: ArrayBufferLike): number {
  return byteLength + MOST_OBJECT_BYTES;
}
