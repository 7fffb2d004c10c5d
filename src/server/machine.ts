import type { Machine } from '../capacity/report.ts';
import type { BudgetStatus } from '../model/status.ts';
import type { RunningApp } from './running-app.ts';

const MINUTE_MS = 60_000;

/** What this machine has for the apps on it, and what of that they have at present. */
export function machineNow(
  apps: Iterable<RunningApp>,
  { status }: { readonly status: BudgetStatus },
): Machine {
  let cpuUsed = 0;
  for (const app of apps) cpuUsed += cpuOf(app);
  const { memoryBytes, promisedBytes, cpus } = status;
  return { memoryBytes, memoryPromisedBytes: promisedBytes, cpus, cpuUsed };
}

function cpuOf({ serving, meter }: RunningApp): number {
  if (serving === null) return 0;
  return [...serving.scaler.components()].reduce(
    (sum, name) => sum + meter.lastMinute(name).cpuMs / MINUTE_MS,
    0,
  );
}
