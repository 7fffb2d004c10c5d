import { openBook, shippedBooks } from '../meter/price-book.ts';
import { machineBook } from '../meter/machine-book.ts';
import type { AdvisorSettings, MachinePrice } from '../model/advice-facts.ts';
import type { PriceBook } from '../model/price-book.ts';

const DEFAULT_BOOKS = ['aws-lambda-x86', 'aws-fargate-x86'];

/** The books that are asked for, each once, in that order; else those of the app's settings. A machine of one's own comes last. */
export function billBooks(
  asked: readonly string[] | undefined,
  machine: MachinePrice | null,
  settings: AdvisorSettings | null,
): PriceBook[] {
  const names = asked ?? settings?.books ?? DEFAULT_BOOKS;
  const books = names.flatMap((name) => (name === 'all' ? shippedBooks() : [openBook(name)]));
  const own = machine ?? settings?.machine ?? null;
  // What is said is meant, and not the example that comes along.
  const all = own === null ? books : [...books.filter(({ id }) => id !== 'own-machine'), machineBook(own)];
  return [...new Map(all.map((book) => [book.id, book])).values()];
}
