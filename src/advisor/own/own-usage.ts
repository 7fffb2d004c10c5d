import type { AdvisorSettings, UnitFacts } from '../../model/advice-facts.ts';
import type { Traffic } from '../../model/simulation.ts';
import type { JoinedCalls, UsageGap } from '../../model/usage-store.ts';
import type { Used } from '../../model/used.ts';

/** An app's own usage, read back: what bills, replays and advice are made of. */
export interface OwnUsage {
  readonly app: string;
  readonly environment: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly facts: readonly UnitFacts[];
  readonly settings: AdvisorSettings | null;
  readonly components: readonly OwnComponent[];
  readonly joinedCalls: readonly Omit<JoinedCalls, 'part'>[];
  readonly gaps: readonly UsageGap[];
}

export interface OwnComponent {
  readonly name: string;
  /** One for each mode that it ran in and day (UTC) on which it did anything; instances of a group are with its members, by what each had of the work. */
  readonly days: readonly Used[];
  /** What came, durations as they were, CPU time by the minute's share of it. Refused arrivals have the mean duration. */
  readonly traffic: Traffic;
  /** Of what the minutes counted: what the log of arrivals still has, 0 to 1. Below 1 the traffic is filled up from the minutes' counts. */
  readonly logged: number;
}
