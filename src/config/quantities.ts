import { parseBytes } from '../base/bytes.ts';
import { parseDuration } from '../base/duration.ts';
import { number, text } from './reading.ts';

/** A size such as `128MB`, as whole bytes. */
export function size(minText: string, maxText: string, example: string) {
  const minBytes = bytesOf(minText);
  const maxBytes = bytesOf(maxText);
  const like = (found: unknown): string => {
    const amount = bareNumber(found);
    const fits = amount !== null && amount * 1024 ** 2 >= minBytes && amount * 1024 ** 2 <= maxBytes;
    return `a size with its unit, from ${minText} to ${maxText}, such as '${fits ? `${amount}MB` : example}'`;
  };
  return text(like, (written) => {
    const bytes = parseBytes(written);
    if (bytes === null) return { problem: notRead(written, 'size', 'B, KB, MB or GB') };
    if (bytes < minBytes) return { problem: `less than ${minText}` };
    if (bytes > maxBytes) return { problem: `more than ${maxText}` };
    return { value: bytes };
  });
}

/** A duration such as `30s`, as whole milliseconds. */
export function duration(minText: string, maxText: string, example: string) {
  const minMs = msOf(minText);
  const maxMs = msOf(maxText);
  const like = (found: unknown): string => {
    const amount = bareNumber(found);
    const guess = amount === null ? null : `${amount}${amount >= 1_000 ? 'ms' : 's'}`;
    const guessMs = guess === null ? null : parseDuration(guess);
    const fits = guessMs !== null && guessMs >= minMs && guessMs <= maxMs;
    return `a duration with its unit, from ${minText} to ${maxText}, such as '${fits ? guess : example}'`;
  };
  return text(like, (written) => {
    const durationMs = parseDuration(written);
    if (durationMs === null) return { problem: notRead(written, 'duration', 'ms, s, m, h or d') };
    if (durationMs < minMs) return { problem: `less than ${minText}` };
    if (durationMs > maxMs) return { problem: `more than ${maxText}` };
    return { value: durationMs };
  });
}

/** A whole number in a range. */
export function count(min: number, max: number) {
  const expected = `a whole number from ${grouped(min)} to ${grouped(max)}`;
  return number(expected, (value) => {
    if (!Number.isInteger(value)) return { problem: 'not a whole number' };
    if (value < min) return { problem: `less than ${grouped(min)}` };
    if (value > max) return { problem: `more than ${grouped(max)}` };
    return { value };
  });
}

function notRead(written: string, what: string, units: string): string {
  return bareNumber(written) === null ? `not a ${what}; units are ${units}` : 'the unit is missing';
}

/** The number that was written without a unit, as a number or as text. */
function bareNumber(found: unknown): number | null {
  if (typeof found === 'number') return Number.isFinite(found) ? found : null;
  return typeof found === 'string' && /^\s*\d+(?:\.\d+)?\s*$/.test(found) ? Number(found) : null;
}

/** `10,000`. Written out, for loading Intl's number formats takes longer than validating a config. */
function grouped(value: number): string {
  return String(value).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

function bytesOf(written: string): number {
  const bytes = parseBytes(written);
  if (bytes === null) throw new TypeError(`not a size: ${written}`);
  return bytes;
}

function msOf(written: string): number {
  const durationMs = parseDuration(written);
  if (durationMs === null) throw new TypeError(`not a duration: ${written}`);
  return durationMs;
}
