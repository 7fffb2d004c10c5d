import type { Mode } from './app.ts';

/** What `fulcrum capacity` shows: plain data, as it goes over the control API. Moments are in ms since the epoch. */
export interface CapacityReport {
  /** The app's id. */
  readonly app: string;
  readonly environment: string;
  readonly atMs: number;
  readonly usage: UsageSpan;
  readonly machine: { readonly memory: MachineCapacity; readonly cpu: MachineCapacity };
  readonly components: readonly ComponentCapacity[];
}

/** Whom a report is for: who may know of all apps of the server, or of this one only. */
export type CapacityReader = 'server' | 'app';

/** Which usage it was made from. */
interface UsageSpan {
  /** Null where there is none. */
  readonly fromMs: number | null;
  readonly toMs: number;
  /** From the first hour with usage to the last, in days with a fraction. */
  readonly days: number;
  /** Hours without anything in which there is usually something: taken for an outage and left out. */
  readonly outageHours: number;
  /** Whether weekends have a shape of their own in the forecasts: from two weeks on. */
  readonly weekends: boolean;
}

/** Memory in bytes, CPU in cores. */
export interface MachineCapacity {
  /** Of all apps of the server. */
  readonly now: number;
  /** What of `now` is other apps'; forecasts take it as it is. For a token of one app rounded up to 5 % of the limit. */
  readonly others: number;
  /** What this app needed at most, with `others` beside it; null where nothing was measured. */
  readonly peak: Peak | null;
  readonly limit: number;
  readonly reached: Reach;
}

export interface Peak {
  readonly value: number;
  /** Start of the hour. */
  readonly atMs: number;
}

/** Of what has instances: a component by itself, or a group, whose members' requests are counted together. */
export interface ComponentCapacity {
  readonly name: string;
  /** Of a group; null: it is a component. */
  readonly members: readonly string[] | null;
  /** Its present mode. Forecasts and room are for this one. */
  readonly mode: Mode;
  readonly now: {
    readonly rps: number;
    readonly instances: number;
    readonly memoryBytes: number;
  };
  /** Null where it has no usage. */
  readonly peak: ComponentPeak | null;
  /** Slot to end; null where nothing was measured. */
  readonly meanMs: number | null;
  /** Null where no CPU time is known of it, as of a command. */
  readonly cpuMs: number | null;
  readonly room: Room;
  /**
   * What bounds it, each with the moment at which its use grows to that; members' limits of one name in the order in which they are
   * reached.
   */
  readonly limits: readonly LimitForecast[];
  /** The one of `limits` that is reached first; null where none is within a year. */
  readonly first: LimitName | null;
}

/** The most of each, which may be of different hours. */
export interface ComponentPeak {
  /** Requests per second in the busiest minute. */
  readonly rps: Peak;
  /** Requests at the same time. */
  readonly concurrency: Peak;
  /** `arrivals`: counted exactly from them. `mean`: the busiest minute's mean, by Little's law, for they are not kept or too many. */
  readonly concurrencyFrom: 'arrivals' | 'mean';
  readonly cpuCores: Peak;
  /** What that needs in each mode. */
  readonly instances: Readonly<Record<Mode, number>>;
  /** In its present mode. */
  readonly memoryBytes: Peak;
}

/** `instances` is a function's `max`, `replicas` a service's. */
export type LimitName = 'instances' | 'replicas' | 'rps' | 'concurrency';

export interface LimitForecast {
  readonly name: LimitName;
  /** Whose it is: of a group, a member's, or its own. */
  readonly component: string;
  readonly limit: number;
  readonly peak: number;
  readonly reached: Reach;
}

/**
 * When something reaches its limit.
 *
 *   reached   within a day, if today is like the days before
 *   expected  at `expectedMs`; 80 % lies between `earlyMs` and `lateMs` (null: beyond a year)
 *   possible  not by the trend, but a busy hour may from `earlyMs` on
 *   none      not within a year
 *   falling   not within a year, and there is less of it from day to day
 *   fits      it cannot be: all components at their maximum have room
 *   unknown   fewer than three days of usage
 */
export type Reach =
  | {
      readonly kind: 'expected';
      readonly earlyMs: number;
      readonly expectedMs: number;
      readonly lateMs: number | null;
    }
  | { readonly kind: 'possible'; readonly earlyMs: number }
  | { readonly kind: 'reached' | 'none' | 'falling' | 'fits' | 'unknown' };

/**
 *   instances, replicas  all that it may have are busy all the time
 *   core-each            an instance's code runs on one core
 *   memory, cpu          what is free of the machine
 *   rps, concurrency     its own `limits`
 */
export type BoundName = 'instances' | 'replicas' | 'core-each' | 'memory' | 'cpu' | 'rps' | 'concurrency';

/**
 * How many requests per second it has room for, in its present mode and with what is free now; of a group, while its members are asked for in
 * the same proportion.
 */
export type Room =
  | {
      readonly kind: 'measured';
      /** At most in all, and how many more than now that is. */
      readonly mostRps: number;
      readonly moreRps: number;
      readonly boundedBy: BoundName;
      /** All of them, the smallest first. */
      readonly bounds: readonly { readonly name: BoundName; readonly rps: number }[];
    }
  /** `limits.concurrency` is 0. */
  | { readonly kind: 'off' }
  /** It has not worked on anything in the time that was asked for. */
  | { readonly kind: 'unmeasured' };
