import { formatBytes } from '../base/bytes.ts';
import { formatDuration } from '../base/duration.ts';
import type { ComponentStatus, GroupStatus, InstanceStatus } from '../model/status.ts';
import { limitsNotes } from './limits-notes.ts';
import { clockTime } from './log-line.ts';
import { formatTable, type Column } from './table.ts';
import { paint, printableLine, truncate, wrap } from './terminal.ts';
import { backlogLines, deadNotes, scheduleLines, tickNotes } from './work-lines.ts';

const INSTANCES: readonly Column[] = [
  { title: 'INSTANCE' },
  { title: 'PID', align: 'right' },
  { title: 'STATE' },
  { title: 'BUSY', align: 'right' },
  { title: 'SERVED', align: 'right' },
  { title: 'AGE', align: 'right' },
  { title: 'MEMORY', align: 'right' },
  { title: 'CPU', align: 'right', dropOrder: 1 },
  // The line above says it, unless instances of an older release are still there.
  { title: 'REVISION', dropOrder: 2 },
  { title: 'WHY', minWidth: 24 },
];

const DECISIONS: readonly Column[] = [
  { title: 'TIME' },
  { title: 'INSTANCE' },
  { title: '' },
  { title: 'WHY', minWidth: 20 },
];

/** What `ps COMPONENT` shows: its instances, and why the latest came and went, the newest last. No line wider than `width`. */
export function componentLines(component: ComponentStatus, nowMs: number, width: number): string[] {
  const whose = component.group === null ? [] : [`in group ${printableLine(component.group)}`];
  return [
    ...headLines(component, whose, width),
    ...limitsNotes(component)
      .flatMap((note) => wrap(note, width))
      .map((line) => paint('yellow', line)),
    ...[...deadNotes(component), ...tickNotes(component, nowMs)]
      .flatMap((note) => wrap(printableLine(note), width))
      .map((line) => paint('red', line)),
    ...(component.events.length === 0
      ? []
      : wrap(printableLine(`takes ${component.events.join(', ')}`), width)),
    ...[scheduleLines([component], nowMs, width), backlogLines([component], nowMs, width)].flatMap((lines) =>
      lines.length === 0 ? [] : ['', ...lines],
    ),
    ...instanceLines(component, width),
  ];
}

/** What `ps GROUP` shows: the instances that its members share. No line wider than `width`. */
export function groupLines(group: GroupStatus, width: number): string[] {
  const members = `Its members share these: ${group.members.join(', ')}`;
  return [
    ...headLines(group, ['group'], width),
    ...wrap(printableLine(members), width),
    ...instanceLines(group, width),
  ];
}

/** What has instances, by itself or with others. */
type Unit = Pick<
  ComponentStatus,
  'name' | 'mode' | 'modeSetting' | 'engine' | 'revision' | 'queued' | 'lastError' | 'instances' | 'decisions'
>;

function headLines(unit: Unit, whose: readonly string[], width: number): string[] {
  const { queued, lastError } = unit;
  const mode = unit.mode === null ? 'static' : unit.mode;
  const facts = [
    printableLine(unit.name),
    ...whose,
    unit.modeSetting === 'auto' ? `${mode} (auto)` : mode,
    ...(unit.engine === null ? [] : [unit.engine]),
    ...(unit.revision === null ? [] : [`revision ${unit.revision}`]),
    ...(queued > 0 ? [`${queued.toLocaleString('en-GB')} waiting`] : []),
  ];
  return [
    paint('bold', truncate(facts.join(' · '), width)),
    ...(lastError === null ? [] : [paint('red', truncate(printableLine(lastError), width))]),
  ];
}

function instanceLines({ instances, decisions }: Unit, width: number): string[] {
  const title = (cell: string, row: number): string => (row === -1 ? paint('dim', cell) : cell);
  const rows = decisions.map(({ atMs, instance, kind, reason }) => [
    clockTime(atMs),
    instance,
    kind,
    printableLine(reason),
  ]);
  return [
    '',
    ...(instances.length === 0
      ? ['no instances']
      : formatTable(INSTANCES, instances.map(instanceRow), width, title)),
    ...(decisions.length === 0 ? [] : ['', ...formatTable(DECISIONS, rows, width, title)]),
  ];
}

function instanceRow(one: InstanceStatus): string[] {
  return [
    one.id,
    one.pid === 0 ? '-' : String(one.pid),
    one.state,
    String(one.inFlight),
    one.served.toLocaleString('en-GB'),
    formatDuration(one.ageMs),
    one.memoryBytes === null ? '-' : formatBytes(one.memoryBytes),
    one.cpuMs === null ? '-' : formatDuration(one.cpuMs),
    one.revision,
    printableLine(whyOf(one)),
  ];
}

function whyOf({ endReason, ejectedForMs, reason }: InstanceStatus): string {
  if (endReason !== null) return `ends: ${endReason}`;
  return ejectedForMs === null ? reason : `ejected for ${formatDuration(ejectedForMs)}: it kept failing`;
}
