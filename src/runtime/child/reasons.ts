import { MAX_REASON_BYTES } from '../wire/limits.ts';
import { fromThrown, toThrown } from '../wire/thrown.ts';
import { packValue, unpackValue } from './values.ts';

/**
 * Why a stream failed, is not wanted any more, or a signal has aborted, as bytes. What cannot cross is told as far as an error can tell it.
 * Never throws.
 */
export function packReason(reason: unknown): Uint8Array {
  try {
    const { bytes, passed } = packValue(reason, 'arguments');
    if (passed.length === 0 && bytes.length <= MAX_REASON_BYTES) return bytes;
  } catch {
    // As below.
  }
  return packValue(fromThrown(toThrown(reason)), 'arguments').bytes;
}

export function unpackReason(bytes: Uint8Array): unknown {
  try {
    return unpackValue(bytes, []);
  } catch (error) {
    return error;
  }
}
