import type { Visitor } from './visitor.ts';

/** What somebody does, and what must come of it; it is done once in each arrangement. */
export interface Scenario {
  readonly name: string;
  take(visitor: Visitor): Promise<void>;
}
