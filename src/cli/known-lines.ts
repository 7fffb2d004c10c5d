import { FulcrumError } from '../base/errors.ts';
import { nearest } from '../base/suggest.ts';
import { lineIdsOf } from '../meter/line-ids.ts';
import { shippedBooks } from '../meter/price-book.ts';
import type { PriceBook } from '../model/price-book.ts';

/** A bill that still has a line that was to be left out would be taken for one without it. Throws `usage`. */
export function refuseUnknownLines(without: readonly string[], books: readonly PriceBook[]): void {
  const known = new Set([...shippedBooks(), ...books].flatMap(lineIdsOf));
  for (const id of without) {
    if (known.has(id)) continue;
    const near = nearest(id, known);
    throw new FulcrumError(
      'usage',
      `No book has a line '${id}'.${near === null ? '' : ` Did you mean '${near}'?`} \`fulcrum simulate --explain\` and \`fulcrum bill --lines\` show what each bill is made of.`,
    );
  }
}
