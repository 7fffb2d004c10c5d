import { openBook, readBook, shippedBooks } from '../../meter/price-book.ts';
import type { PriceBook } from '../../model/price-book.ts';
import { bookLines, soldBy } from '../book-lines.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print, printJson } from '../stdout.ts';
import { formatTable, type Column } from '../table.ts';
import { paint, printableLine, terminalWidth, wrap } from '../terminal.ts';

export interface BooksOptions {
  readonly json?: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: 'BOOK' },
  { title: 'SELLS' },
  { title: 'AS OF', dropOrder: 1 },
  { title: 'UNVERIFIED', align: 'right', dropOrder: 2 },
  { title: 'TITLE', minWidth: 10, dropOrder: 3 },
];

export function listBooks(options: BooksOptions): ExitCode {
  const books = shippedBooks();
  if (options.json === true) printJson(books.map(summaryOf));
  else {
    const rows = books.map((book) => [
      book.id,
      soldBy(book).join(', '),
      book.asOf,
      book.unverified.length === 0 ? '-' : String(book.unverified.length),
      book.title,
    ]);
    const lines = formatTable(COLUMNS, rows, terminalWidth(), (cell, row) =>
      row === -1 ? paint('dim', cell) : cell,
    );
    for (const line of lines) print(line);
  }
  return EXIT.ok;
}

export function showBook(name: string, options: BooksOptions): ExitCode {
  const book = openBook(name);
  if (options.json === true) printJson(book);
  else for (const line of bookLines(book, terminalWidth())) print(line);
  return EXIT.ok;
}

export function checkBook(file: string, options: BooksOptions): ExitCode {
  const book = readBook(file);
  if (options.json === true) printJson({ file, ...summaryOf(book) });
  else {
    const what = `${printableLine(book.title)} (${book.id}), sells ${soldBy(book).join(', ')}`;
    for (const line of wrap(`${printableLine(file)} is a price book: ${what}.`, terminalWidth())) print(line);
  }
  return EXIT.ok;
}

function summaryOf(book: PriceBook): object {
  const { id, title, provider, region, currency, asOf, source, unverified } = book;
  return { id, title, provider, region, currency, asOf, source, sells: soldBy(book), unverified };
}
