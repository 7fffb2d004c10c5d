import { formatBytes } from '../base/bytes.ts';
import { formatDuration } from '../base/duration.ts';
import type { AdviceRequest } from '../advisor/advice/request.ts';
import type { Asked } from './advise-requests.ts';
import { number } from './amounts.ts';
import { formatTable, type Column } from './table.ts';
import { paint, printableLine, wrap } from './terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'COMPONENT', minWidth: 10 },
  { title: 'NOW' },
  { title: 'INVOCATIONS', align: 'right' },
  { title: 'OVER', align: 'right' },
  { title: 'MEMORY', align: 'right' },
  { title: 'P99 ASKED', align: 'right' },
  { title: 'STARTS SEEN', align: 'right', dropOrder: 2 },
  { title: 'CODE', dropOrder: 1 },
];

/** What advice would be made of, without making it; no line wider than `width`. */
export function dryLines({ requests, notes }: Asked, width: number): string[] {
  const [first] = requests;
  if (first === undefined) return ['There is no component with instances.'];
  const { books, settings, samples, seed } = first;
  const { hoursPerMonth, perHour } = settings.operations;
  const work =
    perHour === 0
      ? 'Nobody counts hours of operations.'
      : `Operations: ${hoursPerMonth.function} h a month as a function, ${hoursPerMonth.service} h as a service, at ${perHour} an hour.`;
  return [
    ...formatTable(COLUMNS, requests.map(rowOf), width, (cell, row) =>
      row === -1 ? paint('dim', cell) : cell,
    ),
    '',
    ...[
      `Books: ${books.map(({ id }) => id).join(', ')}. ${samples} samples, seed ${seed}. ${work}`,
      ...notes,
    ].flatMap((line) => wrap(printableLine(line), width)),
  ];
}

function rowOf({ facts, traffic, exists }: AdviceRequest): string[] {
  const { arrivals, lengthMs } = extentOf(traffic);
  const memory = facts[exists ? facts.mode : 'function'].memoryBytes;
  const starts = facts.startsMs.function.length + facts.startsMs.service.length;
  return [
    printableLine(facts.unit),
    exists ? facts.mode : '-',
    number(arrivals),
    formatDuration(lengthMs),
    formatBytes(memory),
    facts.objective.p99Ms === null ? '-' : formatDuration(facts.objective.p99Ms),
    String(starts),
    codeWords(facts.findings),
  ];
}

function extentOf(traffic: AdviceRequest['traffic']): {
  readonly arrivals: number;
  readonly lengthMs: number;
} {
  if (traffic.kind === 'arrivals') {
    const { arrivedAtMs, fromMs, toMs } = traffic.traffic;
    return { arrivals: arrivedAtMs.length, lengthMs: toMs - fromMs };
  }
  const { invocations } = traffic.traffic;
  let arrivals = 0;
  for (let i = 0; i < invocations.length; i++) arrivals += invocations[i]!;
  return { arrivals, lengthMs: invocations.length * 60_000 };
}

function codeWords(findings: AdviceRequest['facts']['findings']): string {
  if (findings === null) return 'not read';
  const count = findings.function.length + findings.service.length;
  return count === 0 ? 'fits both modes' : `${count} ${count === 1 ? 'finding' : 'findings'}`;
}
