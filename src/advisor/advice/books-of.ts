import { machineBook } from '../../meter/machine-book.ts';
import { openBook } from '../../meter/price-book.ts';
import type { AdvisorSettings } from '../../model/advisor-settings.ts';
import type { PriceBook } from '../../model/price-book.ts';

/** The books that an app's settings name, and its own machine's, each once. Throws as `openBook`. */
export function booksOf({ books, machine }: Pick<AdvisorSettings, 'books' | 'machine'>): PriceBook[] {
  const all = [...books.map(openBook), ...(machine === null ? [] : [machineBook(machine)])];
  // A machine whose price is known stands for the example of one.
  return [...new Map(all.map((book) => [book.id, book])).values()];
}
