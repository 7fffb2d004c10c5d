import { formatBytes } from '../base/bytes.ts';
import { formatDuration } from '../base/duration.ts';
import type { EventDetails, EventSummary } from '../control/event-schemas.ts';
import { formatTable, type Column } from './table.ts';
import { paint, printableLine, truncate, wrap } from './terminal.ts';
import { dateTime, relativeTime } from './when.ts';

const COLUMNS: readonly Column[] = [
  { title: 'STATE' },
  // It is what the other commands take: cut only where it is longer than ours and all UUIDs.
  { title: 'ID', minWidth: 36 },
  { title: 'TYPE', minWidth: 8 },
  { title: 'COMPONENT', minWidth: 7 },
  { title: 'WHEN' },
  { title: 'TRY', align: 'right' },
];
const COLOURS: Partial<Record<EventSummary['state'], 'red' | 'yellow' | 'cyan'>> = {
  dead: 'red',
  unmatched: 'yellow',
  leased: 'cyan',
};
const INDENT = '  ';

/** What `events ls` shows, what each failed with last below it; no line wider than `width`. */
export function eventLines(events: readonly EventSummary[], nowMs: number, width: number): string[] {
  const rows = events.map((event) => [
    event.state,
    printableLine(event.id),
    printableLine(typeText(event)),
    printableLine(event.component ?? '-'),
    whenText(event, nowMs),
    event.attempt === 0 ? '-' : String(event.attempt),
  ]);
  const [titles, ...lines] = formatTable(COLUMNS, rows, width, (cell, row, column) => {
    if (row === -1) return paint('dim', cell);
    const colour = COLUMNS[column]!.title === 'STATE' ? COLOURS[events[row]!.state] : undefined;
    return colour === undefined ? cell : paint(colour, cell);
  });
  return [
    titles!,
    ...events.flatMap(({ lastError }, i) =>
      lastError === null
        ? [lines[i]!]
        : [lines[i]!, paint('dim', truncate(INDENT + printableLine(errorText(lastError)), width))],
    ),
  ];
}

/** What `events show` shows: what was published, and for each component what became of it. */
export function eventDetailLines(rows: readonly EventDetails[], nowMs: number, width: number): string[] {
  const [event] = rows;
  if (event === undefined) return [];
  const size = event.dataBytes === 0 ? 'no data' : `${formatBytes(event.dataBytes)} of ${event.contentType}`;
  const title = [event.id, typeText(event), size].map(printableLine).join(' · ');
  const facts = [
    `published ${dateTime(event.publishedAtMs)} (${relativeTime(event.publishedAtMs, nowMs)}) by ${event.source}`,
    ...(event.timeMs === event.publishedAtMs ? [] : [`happened ${dateTime(event.timeMs)}`]),
    ...(event.key === null ? [] : [`key ${event.key}`]),
    ...(event.subject === null ? [] : [`subject ${event.subject}`]),
  ];
  return [
    ...wrap(title, width).map((line) => paint('bold', line)),
    ...facts.flatMap((fact) => wrap(printableLine(fact), width)),
    ...rows.flatMap((row) => ['', ...rowLines(row, nowMs, width)]),
  ];
}

function rowLines(row: EventDetails, nowMs: number, width: number): string[] {
  const { component, attempt, attempts, state } = row;
  const name = component === null ? '' : `${printableLine(component)} · `;
  const colour = COLOURS[state];
  const fate = `${name}${fateText(row, nowMs)}`;
  const left = attempt - attempts.length;
  // The one that is under way has not failed.
  const unkept = left > (state === 'leased' ? 1 : 0) && attempts.length > 0;
  return [
    ...wrap(fate, width).map((line) => (colour === undefined ? line : paint(colour, line))),
    ...(unkept ? [paint('dim', `${INDENT}the latest ${attempts.length} that did not go well:`)] : []),
    ...attempts.flatMap(({ number, beganAtMs, tookMs, error }) => {
      const head = `#${number}  ${dateTime(beganAtMs)}  ${formatDuration(tookMs)}  ${printableLine(error.code)}`;
      const room = width - INDENT.length * 3;
      return [
        truncate(`${INDENT}${head}`, width),
        ...wrap(printableLine(error.message), room).map((line) => INDENT.repeat(3) + paint('dim', line)),
      ];
    }),
  ];
}

function fateText({ state, attempt, dueAtMs, publishedAtMs }: EventDetails, nowMs: number): string {
  const times = attempt === 1 ? '1 attempt' : `${attempt} attempts`;
  switch (state) {
    case 'delayed':
      return `held back; due ${relativeTime(dueAtMs, nowMs)}`;
    case 'ready':
      if (attempt > 0) return `to be tried again ${relativeTime(dueAtMs, nowMs)}, after ${times}`;
      return `ready since ${relativeTime(Math.max(dueAtMs, publishedAtMs), nowMs)}, not tried yet`;
    case 'blocked':
      return 'waits for another of its key';
    case 'leased':
      return `being worked on, attempt ${attempt}`;
    case 'dead':
      return `dead after ${times}; forgotten ${relativeTime(dueAtMs, nowMs)}`;
    case 'unmatched':
      return `no component takes its type; forgotten ${relativeTime(dueAtMs, nowMs)}`;
  }
}

/** When it is due, where that is to come; else how long ago it was published. */
function whenText({ state, dueAtMs, publishedAtMs }: EventSummary, nowMs: number): string {
  const waits = (state === 'delayed' || state === 'ready') && dueAtMs > nowMs;
  return relativeTime(waits ? dueAtMs : publishedAtMs, nowMs);
}

function typeText({ kind, type }: EventSummary): string {
  return kind === 'schedule' ? `tick ${type}` : type;
}

function errorText({ code, message }: { readonly code: string; readonly message: string }): string {
  // A handler's own words say more than that it threw.
  return code === 'handler-error' ? message : `${code}: ${message}`;
}
