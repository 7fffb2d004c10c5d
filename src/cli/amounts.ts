/** `$1,234.56`; of other currencies `EUR 1,234.56`. */
export function money(amount: number, currency: string): string {
  const text = amount.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return currency === 'USD' ? `$${text}` : `${currency} ${text}`;
}

/** The same without cents from a thousand on, where there is little room. */
export function roundMoney(amount: number, currency: string): string {
  return Math.abs(amount) < 1_000
    ? money(amount, currency)
    : money(Math.round(amount), currency).slice(0, -3);
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
