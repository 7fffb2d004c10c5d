import { availableParallelism } from 'node:os';
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

/** @param machine what there is: by default what this machine, or the control group that the process is in, has. */
export function budgetSize(
  { memory, cpus }: BudgetAsked,
  purpose: BudgetPurpose,
  machine: BudgetSize = thisMachine(),
): BudgetSize {
  const usable = machine.memoryBytes - Math.max(LEAST_RESERVE_BYTES, machine.memoryBytes * RESERVE);
  const usual = Math.max(LEAST_RESERVE_BYTES, usable) * (purpose === 'dev' ? DEV_PROMISES : 1);
  return {
    memoryBytes: Math.floor(memory === null ? usual : of(memory, machine.memoryBytes)),
    cpus: cpus === null ? machine.cpus : of(cpus, machine.cpus),
  };
}

export function thisMachine(): BudgetSize {
  return { memoryBytes: machineBytes(), cpus: availableParallelism() };
}

function of({ kind, value }: Amount, all: number): number {
  return kind === 'exact' ? value : (all * value) / 100;
}
