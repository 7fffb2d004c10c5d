import { truncate } from './terminal.ts';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** May be cut down to so many characters where the table is too wide; not at all without. */
  readonly minWidth?: number;
  /** Left out where the table is still too wide; the highest goes first. Never left out without. */
  readonly dropOrder?: number;
}

const GAP = '  ';

/**
 * Lines of a table no wider than `width`: where it does not fit, the columns that may go go first, then those are cut that may be,
 * widest first. `paint` gets each cell after padding, the title row as row -1.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
  paint: (cell: string, row: number, column: number) => string = (cell) => cell,
): string[] {
  const natural = columns.map((column, i) =>
    Math.max(lengthOf(column.title), ...rows.map((row) => lengthOf(row[i]!))),
  );
  const kept = keptColumns(columns, natural, width);
  const widths = fit(columns, natural, kept, width);
  const line = (cells: readonly string[], row: number): string =>
    kept
      .map((i, at) => {
        const cell = truncate(cells[i]!, widths[i]!);
        const right = columns[i]!.align === 'right';
        const last = at === kept.length - 1;
        const pad = ' '.repeat(Math.max(0, widths[i]! - lengthOf(cell)));
        return paint(right ? pad + cell : last ? cell : cell + pad, row, i);
      })
      .join(GAP);
  const titles = columns.map((column) => column.title);
  return [line(titles, -1), ...rows.map((row, i) => line(row, i))];
}

function keptColumns(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  let kept = columns.map((_, i) => i);
  const least = (): number => total(kept.map((i) => Math.min(natural[i]!, columns[i]!.minWidth ?? Infinity)));
  while (least() > width) {
    const droppable = kept.filter((i) => columns[i]!.dropOrder !== undefined);
    if (droppable.length === 0) break;
    const first = droppable.reduce((a, b) => (columns[b]!.dropOrder! > columns[a]!.dropOrder! ? b : a));
    kept = kept.filter((i) => i !== first);
  }
  return kept;
}

function fit(
  columns: readonly Column[],
  natural: readonly number[],
  kept: readonly number[],
  width: number,
): number[] {
  const widths = [...natural];
  while (total(kept.map((i) => widths[i]!)) > width) {
    const cuttable = kept.filter((i) => widths[i]! > (columns[i]!.minWidth ?? Infinity));
    if (cuttable.length === 0) break;
    const widest = cuttable.reduce((a, b) => (widths[b]! > widths[a]! ? b : a));
    widths[widest]! -= 1;
  }
  return widths;
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP.length * Math.max(0, widths.length - 1);
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
