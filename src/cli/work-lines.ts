import type { BacklogStatus, ComponentStatus, ScheduleStatus } from '../model/status.ts';
import { COUNTED } from '../model/event-store.ts';
import { formatTable, type Column } from './table.ts';
import { paint, printableLine } from './terminal.ts';
import { relativeTime } from './when.ts';

/** What `ps` shows of schedules and kept work: below the table of components, which has no room for it. */
const SCHEDULES: readonly Column[] = [
  { title: 'SCHEDULE OF', minWidth: 11 },
  { title: 'WHEN', minWidth: 12 },
  { title: 'LAST', align: 'right' },
  { title: 'OUTCOME' },
  { title: 'NEXT' },
];
const BACKLOGS: readonly Column[] = [
  { title: 'WORK FOR', minWidth: 12 },
  { title: 'WAITING', align: 'right' },
  { title: 'OLDEST', align: 'right' },
  { title: 'UNDER WAY', align: 'right' },
  { title: 'LATER', align: 'right' },
  { title: 'DEAD', align: 'right' },
];

interface Row {
  readonly component: string;
  readonly schedule: ScheduleStatus;
}

/** When each ticked last, how that went, and when it ticks next; at most `most` of them. */
export function scheduleLines(
  components: readonly ComponentStatus[],
  nowMs: number,
  width: number,
  most = Infinity,
): string[] {
  const rows: Row[] = components.flatMap(({ name, schedules }) =>
    schedules.map((schedule) => ({ component: name, schedule })),
  );
  if (rows.length === 0) return [];
  const shown = rows.slice(0, most);
  const cells = shown.map(({ component, schedule }) => [
    printableLine(component),
    printableLine(scheduleName(schedule)),
    schedule.lastAtMs === null ? '-' : relativeTime(schedule.lastAtMs, nowMs),
    schedule.lastState ?? '-',
    schedule.nextAtMs === null ? 'never' : relativeTime(schedule.nextAtMs, nowMs),
  ]);
  const left = rows.length - shown.length;
  return [
    ...formatTable(SCHEDULES, cells, width, (cell, row, column) => {
      if (row === -1) return paint('dim', cell);
      const failed = shown[row]!.schedule.lastState === 'failed';
      return failed && SCHEDULES[column]!.title === 'OUTCOME' ? paint('red', cell) : cell;
    }),
    ...(left > 0 ? [paint('dim', `and ${left} more; fulcrum ps COMPONENT shows all of one`)] : []),
  ];
}

/** What is kept to be done; nothing of those that have none. */
export function backlogLines(components: readonly ComponentStatus[], nowMs: number, width: number): string[] {
  const some = components.flatMap(({ name, backlog }) =>
    backlog !== null && hasWork(backlog) ? [{ name, backlog }] : [],
  );
  if (some.length === 0) return [];
  const cells = some.map(({ name, backlog }) => [
    printableLine(name),
    countText(backlog.waiting),
    backlog.oldestDueAtMs === null ? '-' : relativeTime(backlog.oldestDueAtMs, nowMs),
    countText(backlog.underWay),
    countText(backlog.later),
    countText(backlog.dead),
  ]);
  return formatTable(BACKLOGS, cells, width, (cell, row, column) => {
    if (row === -1) return paint('dim', cell);
    const isDead = BACKLOGS[column]!.title === 'DEAD' && some[row]!.backlog.dead > 0;
    return isDead ? paint('red', cell) : cell;
  });
}

/** That work was given up, with the command that lists it: not to be cut. */
export function deadNotes({ name, backlog }: ComponentStatus): string[] {
  if (backlog === null || backlog.dead === 0) return [];
  return [`${countText(backlog.dead)} dead: fulcrum events ls --state dead --component ${name}`];
}

/** Ticks that failed, each with its whole message. */
export function tickNotes({ schedules }: ComponentStatus, nowMs: number): string[] {
  return schedules
    .filter(({ lastState }) => lastState === 'failed')
    .map((schedule) => {
      const when = schedule.lastAtMs === null ? '' : ` ${relativeTime(schedule.lastAtMs, nowMs)}`;
      const why = schedule.lastMessage === null ? '' : `: ${schedule.lastMessage}`;
      return `its tick${when} (${scheduleName(schedule)}) failed${why}`;
    });
}

function hasWork({ waiting, underWay, later, dead }: BacklogStatus): boolean {
  return waiting + underWay + later + dead > 0;
}

/** A name says something only where there are several. */
function scheduleName({ name, text }: ScheduleStatus): string {
  return name === 'schedule' ? text : `${name}: ${text}`;
}

/** Counting ends there, so that a large backlog costs no more to ask about. */
export function countText(count: number): string {
  const text = count.toLocaleString('en-GB');
  return count >= COUNTED ? `${text}+` : text;
}
