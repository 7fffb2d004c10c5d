import { formatBytes } from '../base/bytes.ts';
import type { BudgetStatus } from '../model/status.ts';

/** What is promised of a server's machine: `machine: 1.2 GB of 5.6 GB promised; 2 components wait for room`. */
export function budgetLine({ memoryBytes, promisedBytes, waiting, pressed }: BudgetStatus): string {
  return [
    `machine: ${formatBytes(promisedBytes)} of ${formatBytes(memoryBytes)} promised`,
    ...(waiting === 0
      ? []
      : [`${waiting} ${waiting === 1 ? 'component waits' : 'components wait'} for room`]),
    ...(pressed ? ['short of memory: no function instance starts'] : []),
  ].join('; ');
}
