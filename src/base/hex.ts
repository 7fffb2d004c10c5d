/** Of each byte; looked up, for `toString(16).padStart(2, '0')` takes many times as long. */
const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** 8 hex digits. @param word 32 bits, unsigned. */
export function wordHex(word: number): string {
  return PAIRS[word >>> 24]! + PAIRS[(word >>> 16) & 255]! + PAIRS[(word >>> 8) & 255]! + PAIRS[word & 255]!;
}
