import { formatDuration } from '../../../base/duration.ts';
import type { Mode } from '../../../model/app.ts';

/** `$1.20`, `$1,240`; of other currencies `EUR 1.20`. */
export function money(amount: number, currency: string): string {
  const sign = amount < 0 ? '-' : '';
  const size = Math.abs(amount);
  const unit = currency === 'USD' ? '$' : `${currency} `;
  if (size > 0 && size < 0.005) return `under ${unit}0.01`;
  const digits = size < 1_000 ? 2 : 0;
  const text = size.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${sign}${unit}${text}`;
}

/** `0.4 %`, `3 %`; `under 0.1 %` and `over 99 %` where rounding would say none or all. */
export function percent(share: number): string {
  if (share <= 0) return '0 %';
  if (share < 0.001) return 'under 0.1 %';
  if (share > 0.995 && share < 1) return 'over 99 %';
  return `${round(share * 100)} %`;
}

/** Two digits that matter below ten, whole numbers from there on. */
export function round(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  const text = size < 10 ? Number(value.toPrecision(2)) : Math.round(value);
  return text.toLocaleString('en-US', { maximumSignificantDigits: size < 10 ? 2 : 21 });
}

/** `4.2 times`. */
export function times(factor: number): string {
  return `${round(factor)} times`;
}

/** How often: `20 a second`, `3 a minute`, `1 a day`; in the largest unit in which it is less than 100, or seconds. */
export function rate(perSecond: number): string {
  const units: readonly (readonly [string, number])[] = [
    ['month', 2_628_000],
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
    ['second', 1],
  ];
  const [name, seconds] = units.find(([, length]) => perSecond * length < 100) ?? ['second', 1];
  return `${round(perSecond * seconds)} a ${name}`;
}

export function took(ms: number): string {
  return formatDuration(ms);
}

export function otherMode(mode: Mode): Mode {
  return mode === 'function' ? 'service' : 'function';
}

/** `1 place`, `3 places`. */
export function count(n: number, what: string, many = `${what}s`): string {
  return `${n.toLocaleString('en-US')} ${n === 1 ? what : many}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function list(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)!}`;
}
