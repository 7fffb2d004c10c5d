import type { OfferLine } from '../model/comparison.ts';
import { fineMoney, fineNumber, price } from './amounts.ts';
import { formatTable, type Column } from './table.ts';
import { paint } from './terminal.ts';

const LINES: readonly Column[] = [
  { title: 'LINE', minWidth: 12 },
  { title: 'QUANTITY', align: 'right' },
  { title: 'FREE', align: 'right', dropOrder: 1 },
  { title: 'PRICE', align: 'right' },
  { title: 'AMOUNT', align: 'right' },
];

/** The lines that an offer is made of, as a table no wider than `width`. */
export function offerTable(
  { lines, currency }: { readonly lines: readonly OfferLine[]; readonly currency: string },
  width: number,
): string[] {
  return formatTable(
    LINES,
    lines.flatMap((line) => lineRows(line, currency)),
    width,
    (cell, row) => (row === -1 ? paint('dim', cell) : cell),
  );
}

/** One row for each price that a line's quantity falls under. */
function lineRows(
  { title, quantity, unit, free, parts, amount, verified }: OfferLine,
  currency: string,
): string[][] {
  const name = `${title}${verified ? '' : '*'}`;
  const freeText = free > 0 ? fineNumber(free) : '-';
  const [only] = parts;
  if (parts.length === 1) {
    return [
      [name, `${fineNumber(quantity)} ${unit}`, freeText, price(only!.price), fineMoney(amount, currency)],
    ];
  }
  return [
    [name, `${fineNumber(quantity)} ${unit}`, freeText, '', fineMoney(amount, currency)],
    ...parts.map((part) => [
      `  of it`,
      `${fineNumber(part.quantity)} ${unit}`,
      '',
      price(part.price),
      fineMoney(part.amount, currency),
    ]),
  ];
}
