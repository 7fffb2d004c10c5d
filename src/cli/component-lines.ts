import { formatBytes } from '../base/bytes.ts';
import { formatDuration } from '../base/duration.ts';
import type { ComponentStatus, InstanceStatus } from '../model/status.ts';
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
  const { instances, decisions, queued } = component;
  const mode = component.mode === null ? 'static' : component.mode;
  const facts = [
    printableLine(component.name),
    component.modeSetting === 'auto' ? `${mode} (auto)` : mode,
    ...(component.engine === null ? [] : [component.engine]),
    ...(component.revision === null ? [] : [`revision ${component.revision}`]),
    ...(queued > 0 ? [`${queued.toLocaleString('en-GB')} waiting`] : []),
  ];
  const title = (cell: string, row: number): string => (row === -1 ? paint('dim', cell) : cell);
  return [
    paint('bold', truncate(facts.join(' · '), width)),
    ...(component.lastError === null
      ? []
      : [paint('red', truncate(printableLine(component.lastError), width))]),
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
    '',
    ...(instances.length === 0
      ? ['no instances']
      : formatTable(INSTANCES, instances.map(instanceRow), width, title)),
    ...(decisions.length === 0
      ? []
      : [
          '',
          ...formatTable(
            DECISIONS,
            decisions.map(({ atMs, instance, kind, reason }) => [
              clockTime(atMs),
              instance,
              kind,
              printableLine(reason),
            ]),
            width,
            title,
          ),
        ]),
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
