const LINES_AROUND = 2;
const MAX_LINE_CHARS = 160;

/** A place in a source file; `line` and `column` count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/**
 * The lines around a place, with a caret under it:
 *
 *     1 | import { total } from './cart.ts';
 *   > 2 | export default total(;
 *       |                      ^
 *
 * Long lines are cut so that the caret stays in sight. Empty where `source` has no such line.
 */
export function codeFrame(source: string, line: number, column: number): string {
  const lines = source.split(/\r\n|\r|\n/);
  if (line < 1 || line > lines.length) return '';
  const first = Math.max(1, line - LINES_AROUND);
  const last = Math.min(lines.length, line + LINES_AROUND);
  const width = String(last).length;
  // All lines are cut at the same character, so that what stands above each other in the file does so here.
  const cut = column > MAX_LINE_CHARS ? column - MAX_LINE_CHARS / 2 : 0;
  const out: string[] = [];
  for (let n = first; n <= last; n++) {
    const text = lines[n - 1]!.slice(cut, cut + MAX_LINE_CHARS).replaceAll('\t', ' ');
    out.push(`${n === line ? '>' : ' '} ${String(n).padStart(width)} | ${text}`.trimEnd());
    if (n === line) out.push(`  ${' '.repeat(width)} | ${' '.repeat(Math.max(0, column - 1 - cut))}^`);
  }
  return out.join('\n');
}
