import type { Command } from 'commander';
import { parseBytes } from '../base/bytes.ts';
import { FulcrumError } from '../base/errors.ts';
import { LEAST_BUDGET, type Amount, type BudgetAsked } from '../server/budget-size.ts';

/** What bounds the components of a server together, as it was written. */
export interface BudgetFlags {
  readonly memoryBudget?: string;
  readonly cpuBudget?: string;
}

const MOST_PERCENT = 10_000;
const MOST_CPUS = 10_000;

export function addBudgetOptions(command: Command): Command {
  return command
    .option('--memory-budget <SIZE>', 'what instances together may hold: 12GB, or 80% of what there is')
    .option('--cpu-budget <N>', 'processors that they may use: 6, or 50%');
}

/**
 * Reads the flags, and where one is missing FULCRUM_MEMORY_BUDGET or FULCRUM_CPU_BUDGET. Throws `usage`, which names what was written
 * where and what would be right.
 */
export function budgetAsked(flags: BudgetFlags, env: NodeJS.ProcessEnv): BudgetAsked {
  return {
    memory: read(flags.memoryBudget, '--memory-budget', env, 'FULCRUM_MEMORY_BUDGET', memoryAmount),
    cpus: read(flags.cpuBudget, '--cpu-budget', env, 'FULCRUM_CPU_BUDGET', cpuAmount),
  };
}

/** The flags again, for a command line that is written down. */
export function budgetArgs({ memoryBudget, cpuBudget }: BudgetFlags): string[] {
  return [
    ...(memoryBudget === undefined ? [] : ['--memory-budget', memoryBudget]),
    ...(cpuBudget === undefined ? [] : ['--cpu-budget', cpuBudget]),
  ];
}

function read(
  flag: string | undefined,
  name: string,
  env: NodeJS.ProcessEnv,
  variable: string,
  amount: (text: string) => Amount | string,
): Amount | null {
  const text = flag ?? (env[variable] || undefined);
  if (text === undefined) return null;
  const found = amount(text.trim());
  if (typeof found !== 'string') return found;
  throw new FulcrumError('usage', `${flag === undefined ? variable : name}: '${text}' ${found}`);
}

function memoryAmount(text: string): Amount | string {
  const percent = percentOf(text);
  if (percent !== null) return percent;
  const value = parseBytes(text);
  if (value === null)
    return 'is no size; write one with its unit (MB or GB) like 12GB, or a part of what there is like 80%.';
  return value >= LEAST_BUDGET.memoryBytes
    ? { kind: 'exact', value }
    : 'is too little for any instance; give 16MB or more.';
}

function cpuAmount(text: string): Amount | string {
  const percent = percentOf(text);
  if (percent !== null) return percent;
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value <= MOST_CPUS && value >= LEAST_BUDGET.cpus)
    return { kind: 'exact', value };
  return 'is no number of processors from 0.01 to 10,000; write one like 6 or 0.5, or a part of what there is like 50%.';
}

function percentOf(text: string): Amount | null {
  const match = /^(\d+(?:\.\d+)?)\s*%$/.exec(text);
  const value = Number(match?.[1]);
  return match !== null && value > 0 && value <= MOST_PERCENT ? { kind: 'percent', value } : null;
}
