import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { csvFields } from '../src/advisor/traffic/csv.ts';
import { fromPercentiles } from '../src/advisor/traffic/durations.ts';
import type { Random } from '../src/advisor/random.ts';
import type { MinuteTraffic, Times } from '../src/model/simulation.ts';

const FILES = ['invocations', 'durations', 'memory'].map((name) => `azure2019-500-${name}.csv`);
const MINUTE_MS = 60_000;
const MB = 1024 ** 2;
/** A Monday. */
const DAY_MS = Date.UTC(2019, 6, 15);
const SHARES = [0, 1, 25, 50, 75, 99, 100];
/** Fine enough that the longest hundredth of all keeps its mean. */
const STEPS = 4_000;
const ASSUMED: Times = { quantilesMs: [1, 20, 50, 100, 200, 500, 1_000] };

/** A function of the Azure trace (Shahrad et al., Serverless in the Wild, ATC 2020), by the minute. */
export interface AzureFunction {
  readonly name: string;
  readonly trigger: string;
  readonly traffic: MinuteTraffic;
  readonly memoryBytes: number;
}

/** Null where `folder` has not got it. */
export function azureFunctions(folder: string | undefined, cpuShare: number): AzureFunction[] | null {
  const paths = FILES.map((file) => join(folder ?? '', file));
  if (folder === undefined || !paths.every((path) => existsSync(path))) return null;
  const [invocations, durations, memory] = paths.map(rowsOf) as [Row[], Row[], Row[]];
  const keyOf = (row: Row): string => `${row['HashOwner']}/${row['HashApp']}/${row['HashFunction']}`;
  const times = new Map(durations.map((row) => [keyOf(row), timesOf(row)]));
  const megabytes = new Map(memory.map((row) => [keyOf(row), Number(row['AverageAllocatedMb_pct100'])]));
  return invocations.map((row): AzureFunction => {
    const minutes = Object.keys(row).filter((name) => /^\d+$/.test(name));
    return {
      name: `${row['Trigger']}-${row['HashFunction']!.slice(0, 12)}`,
      trigger: row['Trigger']!,
      memoryBytes: Math.ceil(megabytes.get(keyOf(row)) ?? 128) * MB,
      traffic: {
        component: row['HashFunction']!.slice(0, 12),
        fromMs: DAY_MS + (Number(minutes[0]) - 1) * MINUTE_MS,
        invocations: Uint32Array.from(minutes, (name) => Number(row[name])),
        duration: times.get(keyOf(row)) ?? ASSUMED,
        cpuShare,
      },
    };
  });
}

/** So many minutes of it from the first on. */
export function minutesOf(traffic: MinuteTraffic, first: number, count: number): MinuteTraffic {
  return {
    ...traffic,
    fromMs: traffic.fromMs + first * MINUTE_MS,
    invocations: Uint32Array.from({ length: count }, (_, i) => traffic.invocations[first + i]!),
  };
}

type Row = Readonly<Record<string, string>>;

function rowsOf(path: string): Row[] {
  const [head, ...lines] = readFileSync(path, 'utf8').trim().split('\n');
  const names = csvFields(head!.trim());
  return lines.map((line) => {
    const fields = csvFields(line.trim());
    return Object.fromEntries(names.map((name, i) => [name, fields[i]!]));
  });
}

function timesOf(row: Row): Times {
  let before = 0;
  const percentiles = SHARES.map((share) => {
    // They are of averages over half minutes, and cross here and there.
    before = Math.max(before, Number(row[`percentile_Average_${share}`]));
    return { share: share / 100, ms: before };
  });
  const durationAt = fromPercentiles(percentiles, Number(row['Average']));
  const quantilesMs = Array.from({ length: STEPS + 1 }, (_, i) => {
    const share = Math.min(i / STEPS, 1 - 1e-9);
    return durationAt({ next: () => share } as Random);
  });
  return { quantilesMs: quantilesMs.map((ms, i) => Math.max(ms, i === 0 ? 0 : quantilesMs[i - 1]!)) };
}
