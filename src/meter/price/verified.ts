import type { PriceBook } from '../../model/price-book.ts';

/** Whether what stands at `path` in the book was read in its source: it, all of it, and all that it is a part of. */
export function isVerified(book: Pick<PriceBook, 'unverified'>, path: string): boolean {
  return !book.unverified.some((doubtful) => covers(doubtful, path));
}

/** Whether one of the two paths is the other, or leads to it. */
function covers(one: string, other: string): boolean {
  return one === other || within(one, other) || within(other, one);
}

function within(inner: string, outer: string): boolean {
  return inner.startsWith(outer) && /^[.[]/.test(inner.slice(outer.length));
}
