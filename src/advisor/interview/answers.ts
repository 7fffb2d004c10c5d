/** What somebody tells of a component that is not there yet. Amounts as they are said, not as they will be. */
export interface Answers {
  readonly name: string;
  readonly trigger: 'http' | 'event' | 'schedule' | 'call';
  /** Calls a second, on average. */
  readonly perSecond: number;
  /** As it was said: `1/d`. */
  readonly rateText: string;
  /** `steady`: by chance. `daily`: by day more than at night. `bursty`: many at once. A schedule's calls come by the clock. */
  readonly shape: DescribedShape;
  readonly duration: { readonly p50Ms: number; readonly p99Ms: number };
  /** Of the duration: how much is computing, 0 to 1. */
  readonly cpuShare: number;
  /** Of one instance. */
  readonly memoryBytes: number;
  readonly needs: readonly Need[];
  /** A program that is there already, and starts in so many ms; null: written anew, as a module. */
  readonly programStartMs: number | null;
  readonly p99Ms: number | null;
  /** Hours of work in a month; null: not counted. */
  readonly operations: {
    readonly function: number;
    readonly service: number;
    readonly perHour: number;
  } | null;
}

export const DESCRIBED_SHAPES = ['steady', 'daily', 'bursty'] as const;
type DescribedShape = (typeof DESCRIBED_SHAPES)[number];

/** `memory`: it keeps in memory what later calls need. `sockets`: it holds connections open. `background`: it works between calls. */
export const NEEDS = ['memory', 'sockets', 'background'] as const;
export type Need = (typeof NEEDS)[number];
