import { formatDuration } from '../base/duration.ts';
import { formatCallDuration } from './call-duration.ts';
import { CALL_REST as REST, type CallEdge, type CallGraph } from '../model/calls.ts';
import type { ComponentStatus } from '../model/status.ts';
import { formatTable, type Column } from './table.ts';
import { paint, printableLine, truncate } from './terminal.ts';

/** A drawing of more lines is no help. */
const MAX_DRAWN = 40;
/** Below that, a caller of everybody would be drawn into the next column. */
const MAX_LEVELS = 12;

const COLUMNS: readonly Column[] = [
  { title: 'FROM', minWidth: 10 },
  { title: 'TO', minWidth: 16 },
  { title: 'CALLS/S', align: 'right' },
  { title: 'P50', align: 'right', dropOrder: 2 },
  { title: 'P95', align: 'right', dropOrder: 1 },
  { title: 'P99', align: 'right' },
  { title: 'FAILED', align: 'right' },
];
const IN_PROCESS: Column = { title: 'IN PROCESS', align: 'right', dropOrder: 3 };
const FAILED = COLUMNS.findIndex(({ title }) => title === 'FAILED');

/** The group of each component that is in one. */
export type GroupOf = ReadonlyMap<string, string>;

/** What `ps --graph` shows: who calls whom as a drawing, then each edge with its numbers. No line wider than `width`. */
export function graphLines(graph: CallGraph, groups: GroupOf, width: number): string[] {
  const window = formatDuration(graph.windowMs);
  if (graph.edges.length === 0)
    return [truncate(`No component has called another in the last ${window}.`, width)];
  const levels = callersFirst(graph.edges);
  const edges = graph.edges.toSorted(
    (a, b) =>
      Number(a.from === REST) - Number(b.from === REST) ||
      levels.get(a.from)! - levels.get(b.from)! ||
      compare(a.from, b.from) ||
      b.count - a.count ||
      compare(a.to, b.to),
  );
  const paintCell = (cell: string, row: number, column: number): string => {
    if (row === -1) return paint('dim', cell);
    return column === FAILED && edges[row]!.failed > 0 ? paint('red', cell) : cell;
  };
  const drawing = drawn(edges, groups, width);
  // Only groups have such calls.
  const columns = edges.some(({ inProcess }) => inProcess > 0) ? [...COLUMNS, IN_PROCESS] : COLUMNS;
  return [
    paint('dim', truncate(`calls of the last ${window}, as this server has measured them`, width)),
    '',
    ...(drawing === null ? [] : [...drawing, '']),
    ...formatTable(columns, edges.map(rowOf), width, paintCell),
  ];
}

/** Of servers that say nothing of groups: none. */
export function groupsOf(components: readonly ComponentStatus[]): GroupOf {
  const all = components as readonly (ComponentStatus & { readonly group?: string | null })[];
  return new Map(all.flatMap(({ name, group }) => (typeof group === 'string' ? [[name, group]] : [])));
}

function rowOf(edge: CallEdge): string[] {
  const { from, to, function: name, count, perSecond, failed, inProcess } = edge;
  return [
    printableLine(nameOf(from)),
    printableLine(calleeOf(to, name)),
    rate(perSecond),
    ...[edge.p50Ms, edge.p95Ms, edge.p99Ms].map(formatCallDuration),
    failed.toLocaleString('en-GB'),
    inProcess === 0 ? '-' : share(inProcess / count),
  ];
}

function calleeOf(to: string, name: string | null): string {
  if (to === REST) return nameOf(to);
  return name === null ? `${to} (request)` : `${to}.${name}`;
}

function nameOf(component: string): string {
  return component === REST ? '(others)' : component;
}

function rate(perSecond: number): string {
  if (perSecond >= 100) return Math.round(perSecond).toLocaleString('en-GB');
  return perSecond < 0.01 ? '<0.01' : String(Number(perSecond.toPrecision(2)));
}

/** All only where it is all, and none where it is none. */
function share(part: number): string {
  const percent = Math.round(part * 100);
  if (part < 1 && percent === 100) return '>99%';
  return percent === 0 ? '<1%' : `${percent}%`;
}

/** How many calls lead to each at least, from one that nobody calls: those are 0. Where all are called, the busiest caller is. */
function callersFirst(edges: readonly CallEdge[]): Map<string, number> {
  const callees = calleesOf(edges);
  const called = new Set(edges.filter(({ from, to }) => from !== to).map(({ to }) => to));
  const levels = new Map<string, number>();
  const spread = (first: readonly string[]): void => {
    const waiting = first.map((name) => ({ name, level: 0 }));
    for (const { name, level } of waiting) {
      if (levels.has(name)) continue;
      levels.set(name, level);
      for (const callee of callees.get(name) ?? []) waiting.push({ name: callee, level: level + 1 });
    }
  };
  spread([...callees.keys()].filter((name) => !called.has(name)));
  for (const name of callees.keys()) if (!levels.has(name)) spread([name]);
  return levels;
}

/** Components only, each once: whoever is called from elsewhere too is marked there. Null where it would be too long. */
function drawn(edges: readonly CallEdge[], groups: GroupOf, width: number): string[] | null {
  // Those that are not told apart have no callees of their own.
  const known = edges.filter(({ from }) => from !== REST);
  const callees = calleesOf(known);
  const levels = callersFirst(known);
  const roots = [...callees.keys()].filter((name) => levels.get(name) === 0);
  const lines: string[] = [];
  const shown = new Set<string>();
  const draw = (name: string, guide: string, below: string, level: number): void => {
    const group = groups.get(name);
    const title = `${printableLine(nameOf(name))}${group === undefined ? '' : ` [${group}]`}`;
    const of = callees.get(name) ?? [];
    const again = of.length > 0 && (shown.has(name) || level === MAX_LEVELS);
    lines.push(truncate(`${guide}${title}${again ? ' …' : ''}`, width));
    if (again || lines.length > MAX_DRAWN) return;
    shown.add(name);
    for (const [i, callee] of of.entries()) {
      const last = i === of.length - 1;
      draw(callee, below + (last ? '└─ ' : '├─ '), below + (last ? '   ' : '│  '), level + 1);
    }
  };
  for (const root of roots) draw(root, '', '', 0);
  return lines.length === 0 || lines.length > MAX_DRAWN ? null : lines;
}

/** Of each caller, each callee once, as the edges have them. */
function calleesOf(edges: readonly CallEdge[]): Map<string, string[]> {
  const byCaller = Map.groupBy(edges, ({ from }) => from);
  return new Map(byCaller.entries().map(([from, those]) => [from, [...new Set(those.map(({ to }) => to))]]));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
