/** A provider's public prices and rounding rules, as data. Amounts are in `currency`; a month has 730 hours. */
export interface PriceBook {
  /** `aws-lambda-x86`. */
  readonly id: string;
  readonly title: string;
  readonly provider: string;
  readonly region: string;
  readonly currency: string;
  /** `2026-11-23`. */
  readonly asOf: string;
  /** Where the prices were read. */
  readonly source: string;
  /** Paths in the book of what was not read in the source, but remembered: lines that rest on one of them are shown as unverified. */
  readonly unverified: readonly string[];
  /** What whoever reads a bill should know of how the provider counts; shown as assumptions. */
  readonly notes: readonly string[];
  /** What it sells; null: it does not sell that. */
  readonly function: FunctionPrices | null;
  readonly service: ServicePrices | null;
  /** A machine of one's own, which runs both. */
  readonly machine: MachinePrices | null;
  /** Beside the compute: each a line that can be left out. */
  readonly fees: readonly Fee[];
}

/** `price` for each unit up to `upTo` units a month, then the next; null: without end. The unit is what the list's name says: a million requests, … */
export interface Tier {
  readonly upTo: number | null;
  readonly price: number;
}

export interface FunctionPrices {
  /** Each invocation is rounded up to whole multiples of this, and is at least `minimumMs`. */
  readonly granularityMs: number;
  readonly minimumMs: number;
  /** Whether an instance's start is billed, and time in which the code only waits. */
  readonly billsInit: boolean;
  readonly billsWait: boolean;
  /** Whether an instance may work on several requests at a time, and its time is billed once then. */
  readonly concurrent: boolean;
  /** Memory is sold in steps, from the least to the most, in MB of 1,048,576 bytes… */
  readonly memoryStepMb: number;
  readonly leastMb: number;
  readonly mostMb: number;
  /** …or in these sizes alone, ascending. Empty: in steps. */
  readonly sizesMb: readonly number[];
  /** vCPUs for each GB of memory, where the one follows from the other; null: as many as are asked for… */
  readonly vcpuPerGb: number | null;
  /** …but at least one for so many GB; null: however many. */
  readonly mostGbPerVcpu: number | null;
  readonly perMillionRequests: readonly Tier[];
  /** GB as 2^30 bytes. */
  readonly perGbSecond: readonly Tier[];
  readonly perVcpuSecond: readonly Tier[];
  readonly perMillionCpuMs: readonly Tier[];
  readonly perMonth: number;
  /** Instances that are kept ready. Null: not sold. */
  readonly provisioned: ProvisionedPrices | null;
  /** A month's, of the whole account. */
  readonly free: FreeTier;
}

/**
 * While they wait, and while they run. `held: 'always'`: the held prices are for all of the time, and what runs costs the run prices instead
 * of the ordinary ones. `'idle'`: they are for the time in which an instance has nothing to do, and what runs costs the ordinary prices.
 */
interface ProvisionedPrices {
  readonly held: 'always' | 'idle';
  readonly perGbSecondHeld: number;
  readonly perVcpuSecondHeld: number;
  readonly perGbSecondRun: number;
  readonly perVcpuSecondRun: number;
  /** Held time is rounded up to it. */
  readonly granularityS: number;
  /** Whether the free tier still holds for a component that has them. */
  readonly keepsFree: boolean;
}

export interface FreeTier {
  readonly requests: number;
  readonly gbSeconds: number;
  readonly vcpuSeconds: number;
  readonly cpuMs: number;
}

export interface ServicePrices {
  /** By size: any size within the bounds at these prices… */
  readonly perVcpuHour: readonly Tier[];
  readonly perGbHour: readonly Tier[];
  /** Whether vCPUs are billed as held, or as the CPU time that was used of them. */
  readonly vcpuBilled: 'held' | 'used';
  /** …and at these in hours in which a replica has nothing to do; null: the same. */
  readonly idle: { readonly perVcpuHour: number; readonly perGbHour: number } | null;
  /** What may be bought: vCPU, and the least and most GB with it, in steps. Empty: `machines` alone. */
  readonly sizes: readonly SizeForSale[];
  /** Whole machines instead, on each of which several replicas find room. */
  readonly machines: readonly MachineForSale[];
  /** Added to a machine's price: 0.15 for 15 %. */
  readonly surcharge: number;
  /** Of each replica: GB of disk that come with it and cost nothing, and the price of the rest; null: none is sold. */
  readonly disk: { readonly includedGb: number; readonly perGbHour: readonly Tier[] } | null;
  readonly granularityS: number;
  readonly minimumS: number;
  readonly perMillionRequests: readonly Tier[];
  readonly perMonth: number;
  /** A month's, of the whole account. */
  readonly free: { readonly vcpuSeconds: number; readonly gbSeconds: number; readonly requests: number };
}

export interface SizeForSale {
  readonly vcpu: number;
  readonly leastGb: number;
  readonly mostGb: number;
  readonly stepGb: number;
  /** Disk that is bought with it in any case. */
  readonly diskGb: number;
}

export interface MachineForSale {
  readonly name: string;
  readonly vcpu: number;
  /** Of `vcpu`: what may be used all day long; less where the machine lives on credits. */
  readonly sustainedVcpu: number;
  readonly gb: number;
  readonly perHour: number;
}

/** What a machine of one's own costs, whatever runs on it. */
export interface MachinePrices {
  readonly perMonth: number;
  readonly vcpu: number;
  readonly gb: number;
  /** Hours of work on it in a month, and what one costs. */
  readonly operationHoursPerMonth: number;
  readonly operationPerHour: number;
}

/** `load-balancer`, `gateway`, … */
export interface Fee {
  readonly id: string;
  readonly title: string;
  /** Which mode needs it. */
  readonly of: 'function' | 'service' | 'both';
  readonly perHour: number;
  readonly perMillionRequests: readonly Tier[];
  readonly perGbOut: readonly Tier[];
  /** By what passes it: one unit for so many new connections a second, or so many GB an hour, whichever gives more; null: not so. */
  readonly capacity: {
    readonly perUnitHour: number;
    readonly connectionsPerS: number;
    readonly gbPerHour: number;
  } | null;
}
