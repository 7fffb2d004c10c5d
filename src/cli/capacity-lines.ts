import { formatBytes } from '../base/bytes.ts';
import type {
  BoundName,
  CapacityReport,
  ComponentCapacity,
  LimitForecast,
  MachineCapacity,
  Reach,
} from '../model/capacity.ts';
import { formatTable, type Column } from './table.ts';
import { paint, printableLine, wrap } from './terminal.ts';
import { dayOf, dayOrMonthOf, hourOf } from './when.ts';

const DAY_MS = 86_400_000;
const LEAST_DAYS = 3;

const MACHINE: readonly Column[] = [
  { title: 'MACHINE' },
  { title: 'NOW', align: 'right' },
  { title: 'PEAK', align: 'right' },
  { title: 'AT', dropOrder: 1 },
  { title: 'LIMIT', align: 'right' },
  { title: 'REACHED', minWidth: 8 },
];

const COMPONENTS: readonly Column[] = [
  { title: 'COMPONENT', minWidth: 10 },
  { title: 'MODE', dropOrder: 2 },
  { title: 'REQ/S', align: 'right' },
  { title: 'PEAK', align: 'right' },
  { title: 'NEEDED', align: 'right', dropOrder: 1 },
  { title: 'ROOM FOR', align: 'right' },
  { title: 'BOUNDED BY', minWidth: 12 },
  { title: 'FIRST LIMIT', minWidth: 14 },
  { title: 'REACHED', minWidth: 8 },
];

const BOUNDS: Readonly<Record<BoundName, string>> = {
  instances: 'max',
  replicas: 'replicas',
  'core-each': 'a core each',
  memory: 'memory',
  cpu: 'cpu',
  rps: 'limits.rps',
  concurrency: 'concurrency',
};

/** What `capacity` shows, no line wider than `width`. */
export function capacityLines(report: CapacityReport, width: number): string[] {
  const { app, environment, machine, components, atMs } = report;
  const head = `${app.replace(/@.*$/, '')} · ${environment} · ${usageWords(report)}`;
  const dimTitles = (cell: string, row: number): string => (row === -1 ? paint('dim', cell) : cell);
  const machineRows = [
    machineRow('memory', machine.memory, atMs, formatBytes, ''),
    machineRow('cpu', machine.cpu, atMs, amount, ' cores'),
  ];
  const notes = notesOn(report);
  return [
    ...wrap(printableLine(head), width).map((line) => paint('bold', line)),
    '',
    ...formatTable(MACHINE, machineRows, width, dimTitles),
    '',
    ...formatTable(
      COMPONENTS,
      components.map((one) => componentRow(one, atMs)),
      width,
      dimTitles,
    ),
    ...(notes.length > 0 ? [''] : []),
    ...notes.flatMap((note) => wrap(printableLine(note), width)),
  ];
}

/** Hours count once they are over; what a request takes is known before. */
function isMeasured({ usage, components }: CapacityReport): boolean {
  return usage.days > 0 || components.some(({ meanMs }) => meanMs !== null);
}

function usageWords(report: CapacityReport): string {
  const { days } = report.usage;
  if (days === 0) return isMeasured(report) ? 'less than an hour of usage' : 'no usage yet';
  if (days < 2) return `${plural(Math.round(days * 24), 'hour')} of usage`;
  return `${plural(Math.round(days), 'day')} of usage`;
}

function machineRow(
  name: string,
  { now, peak, limit, reached }: MachineCapacity,
  atMs: number,
  format: (value: number) => string,
  unit: string,
): string[] {
  return [
    name,
    format(now),
    peak === null ? '-' : format(peak.value),
    peak === null ? '' : hourOf(peak.atMs, atMs),
    `${format(limit)}${unit}`,
    reachWords(reached, atMs),
  ];
}

function componentRow(
  { name, mode, now, peak, room, limits, first }: ComponentCapacity,
  atMs: number,
): string[] {
  const limit = limits.find((one) => one.name === first);
  return [
    name,
    mode,
    amount(now.rps),
    peak === null ? '-' : amount(peak.rps.value),
    peak === null ? '-' : String(peak.instances[mode]),
    room.kind === 'measured' ? `${amount(room.moreRps)} more` : room.kind === 'off' ? 'none' : '?',
    room.kind === 'measured' ? BOUNDS[room.boundedBy] : room.kind === 'off' ? 'switched off' : '-',
    limit === undefined
      ? noLimitWords(limits)
      : limitWords(limit) + (limit.component === name ? '' : ` of ${limit.component}`),
    limit === undefined ? '-' : shortReach(limit.reached, atMs),
  ];
}

/** `max 100`, `replicas 2`, `rps 50`: as the config has it. */
function limitWords({ name, limit }: LimitForecast): string {
  return `${name === 'instances' ? 'max' : name} ${amount(limit)}`;
}

function reachWords(reach: Reach, atMs: number): string {
  switch (reach.kind) {
    case 'reached':
      return 'now';
    case 'expected': {
      const { earlyMs, expectedMs, lateMs } = reach;
      const early = dayOf(earlyMs, atMs);
      const band = lateMs === null ? `from ${early} on` : `${early} – ${dayOf(lateMs, atMs)}`;
      return `${dayOf(expectedMs, atMs)} (${band})`;
    }
    case 'possible':
      return reach.earlyMs - atMs < DAY_MS
        ? 'perhaps, in a busy hour'
        : `perhaps, from ${dayOf(reach.earlyMs, atMs)} on`;
    case 'none':
      return 'not within a year';
    case 'falling':
      return 'no: it falls';
    case 'fits':
      return 'never: all fit';
    case 'unknown':
      return 'too little usage';
  }
}

function shortReach(reach: Reach, atMs: number): string {
  if (reach.kind === 'expected') return dayOrMonthOf(reach.expectedMs, atMs);
  return reach.kind === 'possible' ? 'perhaps' : reachWords(reach, atMs);
}

function noLimitWords(limits: readonly LimitForecast[]): string {
  if (limits.length === 0) return '-';
  return limits.every(({ reached }) => reached.kind === 'unknown') ? '?' : 'none in a year';
}

function notesOn(report: CapacityReport): string[] {
  const { usage, machine, components, atMs } = report;
  const measured = isMeasured(report);
  const { memory, cpu } = machine;
  const names = (kind: ComponentCapacity['room']['kind']): string =>
    components
      .filter(({ room }) => room.kind === kind)
      .map(({ name }) => name)
      .join(', ');
  const reaches = [
    memory.reached,
    cpu.reached,
    ...components.flatMap(({ limits }) => limits.map(({ reached }) => reached)),
  ];
  const far = reaches.some(
    (reach) => reach.kind === 'expected' && reach.expectedMs - atMs > usage.days * DAY_MS,
  );
  return [
    ...machineNotes('memory', memory, atMs),
    ...machineNotes('CPU', cpu, atMs),
    ...components.flatMap((one) => limitNotes(one, atMs)),
    ...(names('off') === '' ? [] : [`${names('off')}: switched off by limits.concurrency 0.`]),
    ...(names('unmeasured') === '' || !measured
      ? []
      : [`${names('unmeasured')}: no request in this time, so nobody knows what one takes.`]),
    ...(!measured ? ['Nothing has been measured yet: ask again when there have been requests.'] : []),
    ...(measured && usage.days < LEAST_DAYS
      ? ['With less than three days of usage there are no forecasts yet, only the peaks and the room now.']
      : []),
    ...(usage.days >= LEAST_DAYS && !usage.weekends
      ? ['With less than two weeks of usage weekends are not told from working days.']
      : []),
    ...(usage.outageHours > 0
      ? [
          `${plural(usage.outageHours, 'hour')} without any request ${usage.outageHours === 1 ? 'is' : 'are'} taken for an outage and left out.`,
        ]
      : []),
    ...(far
      ? [
          `What lies further ahead than the ${plural(Math.round(usage.days), 'day')} of usage is no more than a guess.`,
        ]
      : []),
    ...(memory.others > 0 || cpu.others >= 0.05
      ? [
          `Other apps of this server have ${formatBytes(memory.others)} and ${amount(cpu.others)} cores; that is taken as it is now.`,
        ]
      : []),
    ...components.flatMap(({ name, members }) =>
      members === null
        ? []
        : [
            `${name} is the group of ${members.join(', ')}: for all together, while they are asked for in the same proportion.`,
          ],
    ),
    ...(components.some(({ room }) => room.kind === 'measured')
      ? ['Room is of each by itself, up to where all is busy all the time; requests wait longer before that.']
      : []),
  ];
}

function machineNotes(what: string, { reached }: MachineCapacity, atMs: number): string[] {
  return sentence(
    { who: 'The app', does: 'needs', may: 'need', what: `all of the machine's ${what}` },
    reached,
    atMs,
  );
}

function limitNotes({ limits }: ComponentCapacity, atMs: number): string[] {
  return limits.flatMap((limit) =>
    sentence(
      { who: limit.component, does: 'reaches', may: 'reach', what: limitWords(limit) },
      limit.reached,
      atMs,
    ),
  );
}

interface Statement {
  readonly who: string;
  readonly does: string;
  readonly may: string;
  readonly what: string;
}

/** None where there is nothing that one must think of. */
function sentence({ who, does, may, what }: Statement, reach: Reach, atMs: number): string[] {
  switch (reach.kind) {
    case 'reached':
      return [`${who} ${does} ${what} in the busiest hour of a day like today.`];
    case 'expected': {
      const { earlyMs, expectedMs, lateMs } = reach;
      const early = dayOf(earlyMs, atMs);
      const band =
        lateMs === null
          ? `after ${early}, perhaps not within a year`
          : `between ${early} and ${dayOf(lateMs, atMs)}`;
      return [`${who} ${does} ${what} about ${dayOf(expectedMs, atMs)}; four times in five ${band}.`];
    }
    case 'possible': {
      const when = reach.earlyMs - atMs < DAY_MS ? 'of any day' : `from ${dayOf(reach.earlyMs, atMs)} on`;
      return [`${who} may ${may} ${what} in a busy hour ${when}, though not by the trend.`];
    }
    case 'none':
    case 'falling':
    case 'fits':
    case 'unknown':
      return [];
  }
}

/** Three digits that matter, as a person reads them. */
function amount(value: number): string {
  if (value === 0) return '0';
  if (value < 0.005) return '<0.01';
  // `250K`, `1M`: what has more digits pushes the rest of a line out.
  if (value >= 100_000) {
    return value.toLocaleString('en', { notation: 'compact', maximumSignificantDigits: 3 });
  }
  const digits = value < 1 ? 2 : value < 10 ? 1 : 0;
  return Number(value.toFixed(digits)).toLocaleString('en-GB');
}

function plural(count: number, unit: string): string {
  return `${count.toLocaleString('en-GB')} ${unit}${count === 1 ? '' : 's'}`;
}
