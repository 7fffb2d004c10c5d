import { formatDuration } from '../base/duration.ts';
import { formatCallDuration } from './call-duration.ts';
import type { LogEntry } from '../model/log.ts';
import { clockTime, colourOf, paintLevel, statusColour } from './log-line.ts';
import type { TreeNode } from './request-tree.ts';
import { paint, printableLine, truncate, wrap } from './terminal.ts';

/** Of what is deeper only the last levels are drawn, behind the number of its own. */
const MAX_GUIDE_CHARS = 24;
const LEAST_NAME_CHARS = 16;
/** What became of a call gives way to its name beyond so many. */
const MAX_HOW_CHARS = 32;
const TITLES: Cells = { name: 'CALL', began: 'AT', took: 'TOOK', how: 'HOW' };
const LEAST_TEXT_CHARS = 24;
const GAP = '  ';

interface Row {
  readonly node: TreeNode;
  /** Before the node itself, and before what follows of it. */
  readonly guide: string;
  readonly below: string;
  /** Of a root 0. */
  readonly level: number;
}

/** Of a node that took time: what stands in each column. */
interface Cells {
  readonly name: string;
  readonly began: string;
  readonly took: string;
  readonly how: string;
}

/**
 * A request's tree as text, no line wider than `width`: when each call began, counted from the first, how long it took, which way it
 * went and what became of it. What was printed is told whole, on as many lines as it takes.
 */
export function treeLines(roots: readonly TreeNode[], width: number): string[] {
  const rows = rowsOf(roots);
  const beganMs = beginOf(roots);
  const cells = rows.map(({ node }) => cellsOf(node, beganMs));
  const columns = columnsOf(rows, cells, width);
  return [
    paint('dim', cellLine(TITLES.name, TITLES, columns, width)),
    ...rows.flatMap((row, i) => {
      const cell = cells[i]!;
      if (cell === null) return textLines(row, width);
      const name = truncate(cell.name, Math.max(columns.name - lengthOf(row.guide), 1));
      return [cellLine(row.guide + name, cell, columns, width, row)];
    }),
  ];
}

type Columns = Readonly<Record<'name' | 'began' | 'took', number>>;

function columnsOf(rows: readonly Row[], cells: readonly (Cells | null)[], width: number): Columns {
  const widest = (of: (cell: Cells, row: Row) => number, title: string): number =>
    rows.reduce((most, row, i) => Math.max(most, cells[i] ? of(cells[i], row) : 0), title.length);
  const began = widest((cell) => cell.began.length, TITLES.began);
  const took = widest((cell) => cell.took.length, TITLES.took);
  const how = Math.min(
    widest((cell) => lengthOf(cell.how), TITLES.how),
    MAX_HOW_CHARS,
  );
  const natural = widest((cell, { guide }) => lengthOf(guide) + lengthOf(cell.name), TITLES.name);
  const room = width - began - took - how - 3 * GAP.length;
  return { name: Math.max(Math.min(natural, room), LEAST_NAME_CHARS), began, took };
}

/** @param row of which `left` is the guide and the name; absent for the titles. */
function cellLine(left: string, cell: Cells, columns: Columns, width: number, row?: Row): string {
  const numbers = `${GAP}${cell.began.padStart(columns.began)}${GAP}${cell.took.padStart(columns.took)}`;
  const fill = ' '.repeat(Math.max(0, columns.name - lengthOf(left)));
  const room = width - lengthOf(left) - fill.length - numbers.length - GAP.length;
  const how = room > 0 ? truncate(cell.how, room) : '';
  if (row === undefined) return `${left}${fill}${numbers}${GAP}${how}`;
  const { guide, node } = row;
  const name = paint('dim', guide) + paintName(node, left.slice(guide.length));
  return `${name}${fill}${numbers}${GAP}${paintHow(node, how)}`.trimEnd();
}

/** Above the tree: when it began, and how much of it there is. */
export function treeTitle(roots: readonly TreeNode[]): string {
  const rows = rowsOf(roots);
  const calls = rows.flatMap(({ node }) => (node.kind === 'call' ? [node] : []));
  const callees = new Set(calls.map(({ component }) => component)).size;
  const count = (n: number, one: string): string =>
    `${n.toLocaleString('en-GB')} ${one}${n === 1 ? '' : 's'}`;
  const what =
    calls.length === 0 ? 'no calls' : `${count(calls.length, 'call')} of ${count(callees, 'component')}`;
  return `${clockTime(beginOf(roots))} · ${what}`;
}

function beginOf(roots: readonly TreeNode[]): number {
  return roots.reduce((first, { atMs }) => Math.min(first, atMs), Infinity);
}

/** From top to bottom. */
function rowsOf(roots: readonly TreeNode[]): Row[] {
  const rows: Row[] = [];
  // A list of what is to be done: however deep hostile data is, it is no recursion.
  const waiting: Row[] = roots.toReversed().map((node) => ({ node, guide: '', below: '', level: 0 }));
  for (let row = waiting.pop(); row !== undefined; row = waiting.pop()) {
    rows.push(row);
    const { below, node, level } = row;
    for (const [i, child] of [...node.children.entries()].reverse()) {
      const last = i === node.children.length - 1;
      waiting.push({
        node: child,
        guide: shortGuide(below + (last ? '└─ ' : '├─ '), level + 1),
        below: shortGuide(below + (last ? '   ' : '│  '), level + 1),
        level: level + 1,
      });
    }
  }
  return rows;
}

function shortGuide(guide: string, level: number): string {
  if (guide.length <= MAX_GUIDE_CHARS) return guide;
  const mark = `${level}… `;
  return mark + guide.slice(mark.length - MAX_GUIDE_CHARS);
}

function cellsOf(node: TreeNode, beganMs: number): Cells | null {
  if (node.kind === 'line') return null;
  const name = printableLine(node.component);
  const began = formatDuration(Math.max(0, node.atMs - beganMs));
  if (node.kind === 'unseen') return { name, began, took: '', how: 'not in the log itself' };
  const took = formatCallDuration(node.durationMs);
  const fields = node.entry.fields!;
  if (node.kind === 'request') {
    const { method, path, status, waitedMs, cold, error } = fields;
    const waited = typeof waitedMs === 'number' && (cold === true || waitedMs >= 1);
    return {
      name: `${name} ${printableLine(`${String(method)} ${String(path)}`)}`,
      began,
      took,
      how: [
        String(status),
        ...(typeof error === 'string' ? [error] : []),
        ...(waited ? [`${cold === true ? 'cold' : 'waited'} +${formatDuration(waitedMs)}`] : []),
      ].join(' '),
    };
  }
  const { function: called, way, outcome, code, attempts } = fields;
  const failure = typeof code === 'string' ? code : outcome === 'ok' ? null : String(outcome);
  return {
    name: printableLine(typeof called === 'string' ? `${name}.${called}` : `${name} (request)`),
    began,
    took,
    how: printableLine(
      [
        String(way),
        ...(failure === null ? [] : [failure]),
        ...(typeof attempts === 'number' && attempts > 1 ? [`${attempts} attempts`] : []),
      ].join(' '),
    ),
  };
}

function paintName(node: TreeNode, text: string): string {
  const { length } = printableLine(node.component);
  return paint(colourOf(node.component), text.slice(0, length)) + text.slice(length);
}

function paintHow(node: TreeNode, text: string): string {
  if (node.kind === 'request') return paint(statusColour(Number(node.entry.fields?.['status'])), text);
  return paint(node.kind === 'call' && node.entry.level === 'warn' ? 'yellow' : 'dim', text);
}

/** The component's name again: it may stand below a call of another, where nobody knows which of its own wrote it. */
function textLines({ node, guide, below }: Row, width: number): string[] {
  const entry = (node as TreeNode & { kind: 'line' }).entry;
  const name = printableLine(entry.component);
  const indent = ' '.repeat(Math.min(lengthOf(name), 16) + 3);
  const room = Math.max(width - lengthOf(guide) - indent.length, LEAST_TEXT_CHARS);
  // Guides of what comes below go on beside the text.
  const further = below + indent;
  return cleanText(entry)
    .split('\n')
    .flatMap((line) => (lengthOf(line) <= room ? [line] : wrap(line, room)))
    .map((line, i) => {
      const text = paintLevel(entry, line);
      if (i > 0) return `${paint('dim', further)}${text}`;
      return `${paint('dim', guide)}${paint(colourOf(name), truncate(name, 16))} ${paint('dim', '│')} ${text}`;
    });
}

/** Without its colours, which could not be wrapped. */
function cleanText({ text }: LogEntry): string {
  return text.split('\n').map(printableLine).join('\n');
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}
