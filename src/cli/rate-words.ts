const UNITS = [
  ['s', 1],
  ['min', 60],
  ['h', 3_600],
  ['day', 86_400],
] as const;
const MONTH_S = 730 * 3_600;

/** So many a second, in the unit in which it is at least one: `12/s`, `3.5/min`, `2/day`, `5/month`. */
export function rateWords(perSecond: number): string {
  for (const [unit, seconds] of UNITS) {
    const many = perSecond * seconds;
    if (many >= 0.995) return `${digits(many)}/${unit}`;
  }
  return `${digits(perSecond * MONTH_S)}/month`;
}

function digits(value: number): string {
  if (value >= 10_000) {
    return value.toLocaleString('en', { notation: 'compact', maximumSignificantDigits: 3 });
  }
  return Number(value.toPrecision(value >= 100 ? 3 : 2)).toLocaleString('en-GB');
}
