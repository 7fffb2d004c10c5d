/** Cents as a price a person reads: `€ 14.95`. */
export function formatPrice(cents: number, currency = process.env.CURRENCY ?? 'EUR'): string {
  return new Intl.NumberFormat('en-IE', { style: 'currency', currency }).format(cents / 100);
}
