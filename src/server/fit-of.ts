import type { AppSpec } from '../model/app.ts';
import { minimumOf, noSuccessor, unfit } from '../scaling/fit.ts';
import { budgetSize, NOTHING_ASKED } from './budget-size.ts';

/** How an app fits a server on this machine that has what it has by default, and no other app. */
export function fitOf(app: AppSpec): {
  memoryBytes: number;
  minimumBytes: number;
  unfit: ReturnType<typeof unfit>;
} {
  const { memoryBytes } = budgetSize(NOTHING_ASKED, 'serve');
  const minimumBytes = minimumOf(app);
  const machine = { memoryBytes, minimumBytes };
  return { ...machine, unfit: [...unfit(app, machine), ...noSuccessor(app, machine)] };
}
