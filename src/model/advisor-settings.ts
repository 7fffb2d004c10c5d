import type { Mode } from './mode.ts';

/** What is asked of a component's latency. */
export interface Objective {
  /** Waiting and duration of 99 % of its invocations together; null: nothing is asked. */
  readonly p99Ms: number | null;
}

/** By what the advisor decides, and what `auto` may do. */
export interface AdvisorSettings {
  /** Ids of price books: the cheapest that sells a mode counts for it. */
  readonly books: readonly string[];
  /** A machine of one's own, where that is to be counted: a book of its own beside `books`. */
  readonly machine: MachinePrice | null;
  /** Of components that say nothing else. */
  readonly objective: Objective;
  /** Hours of work in a month that one component takes in each mode, and what an hour costs; 0 where nobody counts. */
  readonly operations: {
    readonly hoursPerMonth: Readonly<Record<Mode, number>>;
    readonly perHour: number;
  };
  readonly auto: AutoSettings;
}

export interface MachinePrice {
  readonly perMonth: number;
  readonly currency: string;
  readonly vcpu: number;
  readonly gb: number;
}

export interface AutoSettings {
  /** False: decisions are told and not carried out. */
  readonly acts: boolean;
  /** After a switch nothing is switched for so long. */
  readonly dwellMs: number;
  /** How much usage one round looks at, and how often there is one. */
  readonly windowMs: number;
  /** Least saving at the lower end of the band: 0.1 for 10 %. */
  readonly leastSaving: number;
  /** What a switch is reckoned to cost, in the books' currency. */
  readonly switchCost: number;
}

/** The question as most ask it: a function on Lambda, or a container on Fargate? A window of an hour, and six to think it over. */
export const DEFAULT_ADVISOR: AdvisorSettings = {
  books: ['aws-lambda-x86', 'aws-fargate-x86'],
  machine: null,
  objective: { p99Ms: null },
  operations: { hoursPerMonth: { function: 0, service: 0 }, perHour: 0 },
  auto: { acts: true, dwellMs: 6 * 3_600_000, windowMs: 3_600_000, leastSaving: 0.1, switchCost: 0.01 },
};
