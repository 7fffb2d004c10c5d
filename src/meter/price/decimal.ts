/**
 * An exact decimal number: `digits` × 10^-`scale`. Prices are decimals, and binary fractions are not: 1.005 as a double lies below 1.005,
 * and would round to the wrong cent.
 */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

export const ZERO: Decimal = { digits: 0n, scale: 0 };

/** The decimal that `value` is written as: the shortest that no other double is nearer to. @throws RangeError where it is not finite. */
export function decimal(value: number): Decimal {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  if (match === null) throw new RangeError(`${value} is no amount.`);
  const [, sign, whole, fraction = '', exponent = '0'] = match;
  const digits = BigInt(`${sign}${whole}${fraction}`);
  const scale = fraction.length - Number(exponent);
  return scale >= 0 ? { digits, scale } : { digits: digits * 10n ** BigInt(-scale), scale: 0 };
}

export function plus(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return { digits: at(a, scale) + at(b, scale), scale };
}

export function minus(a: Decimal, b: Decimal): Decimal {
  return plus(a, { digits: -b.digits, scale: b.scale });
}

export function times(a: Decimal, b: Decimal): Decimal {
  return { digits: a.digits * b.digits, scale: a.scale + b.scale };
}

export function least(a: Decimal, b: Decimal): Decimal {
  const scale = Math.max(a.scale, b.scale);
  return at(a, scale) <= at(b, scale) ? a : b;
}

export function isPositive(a: Decimal): boolean {
  return a.digits > 0n;
}

/** The double that is nearest. */
export function toNumber(a: Decimal): number {
  return Number(`${a.digits}e${-a.scale}`);
}

/** Rounded to two decimals, half a cent away from zero. */
export function toCents(a: Decimal): number {
  if (a.scale <= 2) return toNumber(a);
  const unit = 10n ** BigInt(a.scale - 2);
  const size = a.digits < 0n ? -a.digits : a.digits;
  const cents = (size + unit / 2n) / unit;
  return toNumber({ digits: a.digits < 0n ? -cents : cents, scale: 2 });
}

function at(a: Decimal, scale: number): bigint {
  return a.digits * 10n ** BigInt(scale - a.scale);
}
