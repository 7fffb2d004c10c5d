import { availableParallelism } from 'node:os';
import { formatBytes } from '../base/bytes.ts';
import { FulcrumError } from '../base/errors.ts';
import { machineBytes } from '../base/machine-memory.ts';

/** What may be used, as a server is told: so much, or a part of what the machine has. */
export type Amount =
  | { readonly kind: 'exact'; readonly value: number }
  /** 100 is all of it; more promises more than there is. */
  | { readonly kind: 'percent'; readonly value: number };

/** What a server was asked to keep its components within; null: what its purpose has by default. */
export interface BudgetAsked {
  /** In bytes. */
  readonly memory: Amount | null;
  /** In processors; parts of one are allowed. */
  readonly cpus: Amount | null;
}

export interface BudgetSize {
  readonly memoryBytes: number;
  readonly cpus: number;
}

/** `serve`: others rely on it. `dev`: its author's own machine. */
export type BudgetPurpose = 'serve' | 'dev';

const MB = 1024 ** 2;
/** For the server itself, for zygotes, and for what else runs on the machine. */
const LEAST_RESERVE_BYTES = 128 * MB;
const RESERVE = 0.1;
/**
 * While an app is written, components hold a fraction of what they may, and each change has old and new replicas at once: with a machine's
 * own size as the budget a small one would refuse what it can well run. The measured shortage of memory stands behind it.
 */
const DEV_PROMISES = 2;

export const NOTHING_ASKED: BudgetAsked = { memory: null, cpus: null };

/** The least that anything can run in. */
export const LEAST_BUDGET: BudgetSize = { memoryBytes: 16 * MB, cpus: 0.01 };

/**
 * Throws `usage` where what was asked for, as a part of what there is too, is less than anything can run in.
 *
 * @param machine what there is: by default what this machine, or the control group that the process is in, has.
 */
export function budgetSize(
  { memory, cpus }: BudgetAsked,
  purpose: BudgetPurpose,
  machine: BudgetSize = thisMachine(),
): BudgetSize {
  const usable = machine.memoryBytes - Math.max(LEAST_RESERVE_BYTES, machine.memoryBytes * RESERVE);
  const usual = Math.max(LEAST_RESERVE_BYTES, usable) * (purpose === 'dev' ? DEV_PROMISES : 1);
  const memoryBytes = Math.floor(memory === null ? usual : of(memory, machine.memoryBytes));
  const size = { memoryBytes, cpus: cpus === null ? machine.cpus : of(cpus, machine.cpus) };
  if (size.memoryBytes < LEAST_BUDGET.memoryBytes) {
    throw new FulcrumError(
      'usage',
      `A memory budget of ${formatBytes(memoryBytes)} is too little for any instance; give ${formatBytes(LEAST_BUDGET.memoryBytes)} or more.`,
    );
  }
  if (size.cpus < LEAST_BUDGET.cpus) {
    throw new FulcrumError(
      'usage',
      `A CPU budget of ${size.cpus} processors is too little for anything; give ${LEAST_BUDGET.cpus} or more.`,
    );
  }
  return size;
}

export function thisMachine(): BudgetSize {
  return { memoryBytes: machineBytes(), cpus: availableParallelism() };
}

function of({ kind, value }: Amount, all: number): number {
  return kind === 'exact' ? value : (all * value) / 100;
}
