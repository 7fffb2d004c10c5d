import type { Format } from '../advisor/traffic/formats.ts';
import { booksOf } from '../advisor/advice/books-of.ts';
import { openBook } from '../meter/price-book.ts';
import type { AdvisorSettings } from '../model/advisor-settings.ts';
import type { PriceBook } from '../model/price-book.ts';
import type { Target } from './connect.ts';
import { refuseUnknownLines } from './known-lines.ts';
import type { NewOptions } from './interview-options.ts';
import type { Moment } from './moments.ts';

export interface AdviseOptions extends Target, NewOptions {
  readonly since?: Moment;
  readonly trace?: readonly string[];
  readonly format?: Format;
  readonly book?: readonly string[];
  readonly freeTier?: boolean;
  readonly without?: readonly string[];
  readonly chart?: string;
  readonly new?: boolean;
  readonly dry?: boolean;
  readonly seed: number;
  readonly json?: boolean;
}

/**
 * The app's settings, and the books that they name; or those that were asked for, its machine left out then. Throws as `openBook`, and `usage` for a line to
 * leave out that no book has.
 */
export function chosenBooks(
  { book, without = [] }: Pick<AdviseOptions, 'book' | 'without'>,
  settings: AdvisorSettings,
): { readonly settings: AdvisorSettings; readonly books: readonly PriceBook[] } {
  const books =
    book === undefined
      ? booksOf(settings)
      : [...new Map(book.map(openBook).map((one) => [one.id, one])).values()];
  refuseUnknownLines(without, books);
  if (book === undefined) return { settings, books };
  return { settings: { ...settings, books: books.map(({ id }) => id), machine: null }, books };
}
