import { formatBytes } from '../base/bytes.ts';
import { formatDuration } from '../base/duration.ts';
import type { ComponentStatus, GroupStatus, InstanceStatus } from '../model/status.ts';
import { formatTable, type Column } from './table.ts';
import { paint, printableLine } from './terminal.ts';

const COLUMNS: readonly Column[] = [
  { title: 'COMPONENT', minWidth: 12 },
  { title: 'MODE' },
  { title: 'ENGINE' },
  { title: 'READY', align: 'right' },
  { title: 'CALLS/MIN', align: 'right' },
  { title: 'FAILED', align: 'right' },
  { title: 'COLD', align: 'right', dropOrder: 2 },
  { title: 'P50', align: 'right', dropOrder: 1 },
  { title: 'P99', align: 'right' },
  { title: 'MEMORY', align: 'right', dropOrder: 3 },
  { title: 'ROUTES', minWidth: 14, dropOrder: 4 },
];

/** What has instances: a group, or a component by itself. */
type Unit = Pick<ComponentStatus, 'mode' | 'modeSetting' | 'engine' | 'sandbox' | 'instances'>;

interface Row {
  readonly cells: readonly string[];
  readonly failed: number;
}

/**
 * What `ps` shows of all components, no line wider than `width`. A group is a block where its first member stands: a line with what its
 * members share, and behind it theirs, indented, with what is their own.
 */
export function appTable(
  components: readonly ComponentStatus[],
  groups: readonly GroupStatus[],
  width: number,
): string[] {
  const byName = new Map(components.map((one) => [one.name, one]));
  const blocks = components.flatMap((one): Row[] => {
    const group = groups.find(({ name }) => name === one.group);
    if (group === undefined) return [rowOf(one.name, sharedCells(one), one)];
    if (group.members.find((name) => byName.has(name)) !== one.name) return [];
    const members = group.members.flatMap((name) => byName.get(name) ?? []);
    return [groupRow(group), ...members.map((member) => rowOf(`  ${member.name}`, NO_CELLS, member))];
  });
  const paintCell = (cell: string, row: number, column: number): string => {
    if (row === -1) return paint('dim', cell);
    return COLUMNS[column]!.title === 'FAILED' && blocks[row]!.failed > 0 ? paint('red', cell) : cell;
  };
  const cells = blocks.map((row) => row.cells);
  return formatTable(COLUMNS, cells, width, paintCell).map((line) => line.trimEnd());
}

interface SharedCells {
  readonly mode: string;
  readonly engine: string;
  readonly ready: string;
  readonly memory: string;
}

/** Of a member: the group's line has them. */
const NO_CELLS: SharedCells = { mode: '', engine: '', ready: '', memory: '' };

function sharedCells({ mode, modeSetting, engine, sandbox, instances }: Unit): SharedCells {
  const counted = (state: InstanceStatus['state']): number =>
    instances.filter((instance) => instance.state === state).length;
  const starting = counted('starting');
  const memory = instances.reduce((sum, instance) => sum + (instance.memoryBytes ?? 0), 0);
  return {
    mode: mode === null ? 'static' : `${mode}${modeSetting === 'auto' ? '*' : ''}`,
    engine: engine === null ? '-' : `${engine}${sandbox?.complete === false ? '!' : ''}`,
    ready: mode === null ? '-' : `${counted('ready')}${starting > 0 ? `+${starting}` : ''}`,
    memory: memory === 0 ? '-' : formatBytes(memory),
  };
}

function rowOf(name: string, shared: SharedCells, { lastMinute, routes }: ComponentStatus): Row {
  const duration = (ms: number | null | undefined): string =>
    typeof ms === 'number' ? formatDuration(ms) : '-';
  const count = (value: number | undefined): string =>
    value === undefined ? '-' : value.toLocaleString('en-GB');
  const cells = [
    ...[name, shared.mode, shared.engine, shared.ready],
    count(lastMinute?.count),
    count(lastMinute?.failed),
    count(lastMinute?.cold),
    duration(lastMinute?.p50Ms),
    duration(lastMinute?.p99Ms),
    shared.memory,
    printableLine(routes.join(' ')) || '-',
  ];
  return { cells, failed: lastMinute?.failed ?? 0 };
}

/** What is asked of it is asked of its members. */
function groupRow(group: GroupStatus): Row {
  const { mode, engine, ready, memory } = sharedCells(group);
  return { cells: [group.name, mode, engine, ready, '', '', '', '', '', memory, ''], failed: 0 };
}
