/** What a bill takes into account beside what was used. */
export interface BillOptions {
  /** Whether the account's free tier is taken off. Default: no, as nobody knows what the rest of the account has taken of it. */
  readonly freeTier?: boolean;
  /** What the account is billed for, in months: of that much are free amounts, tiers and monthly prices. Default: what `used` covers. */
  readonly months?: number;
  /** Ids of lines or fees that are left out: `load-balancer`, `gateway`, … */
  readonly without?: readonly string[];
  /** vCPUs that an instance or a replica can make use of; default 1: one thread of JavaScript. */
  readonly vcpus?: number;
  /** Of a service: least replicas; default 1. */
  readonly minReplicas?: number;
  /** Requests that one instance works on at a time; default: of a function 1, of a service as many as come. */
  readonly concurrency?: number;
  /** Memory setting; default: what `used` tells. */
  readonly memoryBytes?: number;
  /** Of a service: as many replicas as the peak needs all the time, instead of following the load. */
  readonly fixedReplicas?: boolean;
  /** Of functions: instances that are kept ready, and how long those ran in all, where that is known. */
  readonly provisioned?: { readonly instances: number; readonly runMs?: number };
  /** Of a service: what the provider's spare capacity costs, as a share of the price, if it is bought: 0.3. */
  readonly spotFactor?: number;
  /** GB of disk for each replica; default: what comes with it. */
  readonly diskGb?: number;
  /** Of functions: CPU time stretched as the provider's vCPUs for the memory ask for. Default: durations as they are. */
  readonly providerCpu?: boolean;
  /** Of functions: whether durations were measured at the provider, as in its own logs. Default: no. */
  readonly measuredThere?: boolean;
  /** Of one component among several that are billed together, by its name: holds before what is said for all. */
  readonly components?: Readonly<Record<string, ComponentBillOptions>>;
}

type ComponentBillOptions = Pick<BillOptions, 'vcpus' | 'minReplicas' | 'concurrency' | 'memoryBytes'>;

/** What holds for this component. */
export function optionsOf(component: string, options: BillOptions): BillOptions {
  const { components = {} } = options;
  return Object.hasOwn(components, component) ? { ...options, ...components[component] } : options;
}
