import { isAscii } from 'node:buffer';
import { serialize } from 'node:v8';

/**
 * A value of which JSON tells all that structured clone would keep may cross as that, which takes the processes a quarter of the time. Of
 * such bytes the first is none of the engine's own format, which begins with 255; `undefined` is none at all.
 */
const ENGINES = 0xff;

/** Theirs as they are before any author's code has run. */
const { parse, stringify } = JSON;

export function isTextValue(bytes: Uint8Array): boolean {
  return bytes[0] !== ENGINES;
}

/** @param value holds nothing but what {@link isTextual} is true of, in plain objects and lists, none of them twice. */
export function writeTextValue(value: unknown): Uint8Array {
  return value === undefined ? NO_BYTES : Buffer.from(stringify(value));
}

/** Throws where it is none. */
export function readTextValue(bytes: Uint8Array): unknown {
  if (bytes.length === 0) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Long text is mostly ASCII, which is the quicker to read.
  return parse(text.toString(text.length > LONG_BYTES && isAscii(text) ? 'latin1' : 'utf8')) as unknown;
}

/** The same in the engine's format, for an instance that is older than text. What is neither stays as it is: whoever reads it says so. */
export function asEnginesFormat(bytes: Uint8Array): Uint8Array {
  if (!isTextValue(bytes)) return bytes;
  try {
    return serialize(readTextValue(bytes));
  } catch {
    return bytes;
  }
}

/** Whether JSON gives a value that is no object back as it was. */
export function isTextual(value: unknown): boolean {
  // NaN and the infinities come back as null, and -0 as 0.
  if (typeof value === 'number') return Number.isFinite(value) && (value !== 0 || 1 / value > 0);
  return typeof value === 'string' || typeof value === 'boolean' || value === null;
}

/** Whether JSON asks objects and lists how they want to be written, because a library has taught all of them. */
export function isJsonTaught(): boolean {
  return 'toJSON' in Object.prototype || 'toJSON' in Array.prototype;
}

const LONG_BYTES = 4_096;
const NO_BYTES = new Uint8Array(0);
