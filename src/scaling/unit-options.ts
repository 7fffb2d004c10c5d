import type { Clock } from '../base/clock.ts';
import type { Mode } from '../model/app.ts';
import type { InstanceHome, RuntimeFor } from '../model/instance.ts';
import type { Revision } from '../model/revision.ts';
import type { Habits } from './habits.ts';
import type { InstanceTelling } from './instance-watch.ts';
import type { ComponentLimits } from './limits/component-limits.ts';
import type { AppBudget } from './pool-room.ts';

export interface ComponentOptions {
  readonly name: string;
  /** The components that it holds: itself, or those of a group. They are the same as long as it is there. */
  readonly members: readonly string[];
  readonly isGroup: boolean;
  readonly runtimeFor: RuntimeFor;
  readonly home: InstanceHome;
  readonly clock: Clock;
  /** How many function instances may be starting at the same time. */
  readonly startsAtOnce: number;
  /** Of the app. */
  readonly habits: Habits;
  /** Whether its instances come and stay for work that is only expected, where it is adaptive. Tell `changed` of another answer. */
  readonly followsHabit: () => boolean;
  /** Of a member. */
  readonly limitsOf: (member: string) => ComponentLimits;
  /** Null: nobody asks what instances live. */
  readonly lives: InstanceTelling | null;
  /** Null: no bound. */
  readonly budget: AppBudget | null;
  /** It was leaving or closed, and has nothing left. */
  readonly gone: () => void;
}

export interface PrepareOptions {
  readonly revision: Revision;
  readonly mode: Mode;
  /** What the first instances are started for; goes into their reasons. */
  readonly occasion: string;
  /** How many of a function's instances to start before it serves. */
  readonly warm: number;
  /** How many replicas stand ready elsewhere whose work it takes over; none by default. */
  readonly replicas?: number;
  readonly inspectPort: number | null;
}
