/** `$1,234.56`; of other currencies `EUR 1,234.56`. */
export function money(amount: number, currency: string): string {
  if (amount < 0) return `-${money(-amount, currency)}`;
  const text = amount.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return currency === 'USD' ? `$${text}` : `${currency} ${text}`;
}

/** Amounts of less than ten cents with two digits that matter, for what is too little to be cents is still not nothing: `$0.0012`. */
export function fineMoney(amount: number, currency: string): string {
  return amount === 0 || Math.abs(amount) >= 0.1
    ? money(amount, currency)
    : money(0, currency).replace('0.00', fine(amount));
}

/** As {@link number}, with two digits that matter where it is less than a hundredth. */
export function fineNumber(value: number): string {
  return value === 0 || Math.abs(value) >= 0.01 ? number(value) : fine(value);
}

const MOST_DIGITS = 10;

function fine(value: number): string {
  const digits = 1 - Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.min(MOST_DIGITS, digits));
}

/** As {@link money}, without cents from a thousand on, where there is little room. */
export function roundMoney(amount: number, currency: string): string {
  return Math.abs(amount) < 1_000
    ? money(amount, currency)
    : money(Math.round(amount), currency).slice(0, -3);
}

/** A power of ten as it stands at an axis: `$0.01`, `$1`, `$10k`. */
export function axisMoney(amount: number, currency: string): string {
  const text = amount.toLocaleString('en', {
    notation: amount < 10_000 ? 'standard' : 'compact',
    maximumSignificantDigits: 3,
  });
  return currency === 'USD' ? `$${text}` : `${currency} ${text}`;
}

/** A unit price with all of its digits: `0.0000166667`. */
export function price(amount: number): string {
  return amount.toLocaleString('en-US', { maximumSignificantDigits: 12 });
}

/** Three digits that matter; `1.23M` where there are many. */
export function number(value: number): string {
  if (value === 0) return '0';
  if (value < 0.005) return '<0.01';
  if (value >= 100_000) {
    return value.toLocaleString('en', { notation: 'compact', maximumSignificantDigits: 3 });
  }
  const digits = value < 1 ? 2 : value < 10 ? 1 : 0;
  return Number(value.toFixed(digits)).toLocaleString('en-GB');
}
