import type { AdvisorSettings, Objective } from './advisor-settings.ts';
import type { EnvSource } from './env-source.ts';
import type { ModeSetting } from './mode.ts';
import type { AsyncSettings, EventSettings, Schedule, Subscription } from './work-settings.ts';
export type { Mode, ModeSetting } from './mode.ts';

/**
 * An app as everything behind the config loader sees it: validated, defaults filled in, units resolved, frozen.
 * Paths are absolute.
 */
export interface AppSpec {
  readonly name: string;
  /** The folder that holds the config. */
  readonly directory: string;
  readonly configPath: string;
  readonly environment: string;
  /**
   * Of a release on a server: the folder outside the app's in which components store, each at its path in the app; links in the app's
   * folder lead there. Null: they store in the app's folder itself.
   */
  readonly storageDirectory: string | null;
  readonly components: ReadonlyMap<string, ComponentSpec>;
  /** By name, which no component has. */
  readonly groups: ReadonlyMap<string, GroupSpec>;
  readonly gateway: GatewaySettings;
  readonly events: EventSettings;
  readonly advisor: AdvisorSettings;
}

export interface GatewaySettings {
  /** Addresses or CIDR blocks whose `X-Forwarded-*` and `Forwarded` are believed. */
  readonly trustedProxies: readonly string[];
  readonly cors: CorsSettings | null;
}

export interface CorsSettings {
  /** `'*'` or exact origins. */
  readonly origins: '*' | readonly string[];
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly exposedHeaders: readonly string[];
  readonly credentials: boolean;
  readonly maxAgeS: number;
}

export type ComponentSpec = ModuleSpec | CommandSpec | StaticSpec;
/** A component that has instances. */
export type RunnableSpec = ModuleSpec | CommandSpec;
/** What instances are of: a component, or a group of them. */
export type UnitSpec = RunnableSpec | GroupSpec;

interface Common {
  readonly name: string;
  readonly routes: readonly Route[];
  readonly cors: CorsSettings | null;
}

/** How instances run. */
interface Running {
  readonly modeSetting: ModeSetting;
  /** The settings of each mode: the mode may change at any time. */
  readonly function: FunctionSettings;
  readonly service: ServiceSettings;
  readonly env: Readonly<Record<string, EnvSource>>;
  /** Absolute folders that the component may write. */
  readonly storage: readonly string[];
  /** `best-effort`: as much of a sandbox as the machine gives. `required`: all of it, or it is not started. */
  readonly isolation: 'best-effort' | 'required';
  /** `full`: the host's. `none`: it reaches nothing but what the server passes on. */
  readonly network: 'full' | 'none';
  /** Its part of the machine, against those of the others, where all want more than there is. */
  readonly weight: number;
  /** What is asked of its latency. Null: what the app says. */
  readonly objective: Objective | null;
}

interface Runnable extends Common, Running {
  readonly limits: Limits;
  /** The components that it may call; null: any. */
  readonly calls: readonly string[] | null;
  /** The events that it takes; null: none. */
  readonly subscription: Subscription | null;
  /** What holds for its asynchronous invocations. */
  readonly async: AsyncSettings;
}

export interface ModuleSpec extends Runnable {
  readonly kind: 'module';
  readonly entry: string;
  /** By name, each of which is there once. */
  readonly schedules: readonly Schedule[];
  /**
   * How long the process that its functions' instances are forked from stays without one. 0: it ends with its last instance. Where the
   * keep-alive is adaptive: as long as its habits tell nothing.
   */
  readonly zygoteKeepAliveMs: number;
}

/**
 * Modules that share their instances, and so are called by each other within the process. Each keeps its own routes, events, schedules, limits
 * and timeout; what is said here holds for the process of all.
 *
 * Of `function` and `service`: `memoryBytes` is the sum of the members', `timeoutMs` the longest; what else the members say is the same.
 */
export interface GroupSpec extends Running {
  readonly kind: 'group';
  readonly name: string;
  /** Two at least, in the order of the config. */
  readonly members: readonly ModuleSpec[];
  /** As {@link ModuleSpec.zygoteKeepAliveMs}. */
  readonly zygoteKeepAliveMs: number;
}

export interface CommandSpec extends Runnable {
  readonly kind: 'command';
  readonly command: string;
  readonly cwd: string;
  /** Path that answers 2xx when healthy; null: a TCP connect is enough. */
  readonly healthPath: string | null;
}

export interface StaticSpec extends Common {
  readonly kind: 'static';
  readonly directory: string;
  /** `Cache-Control` of what is served. */
  readonly cacheControl: string;
}

/** `path` is `/exact` or `/prefix/*`, which also matches `/prefix`. `host` null matches every host; `*.example.com` one label. */
export interface Route {
  readonly host: string | null;
  readonly path: string;
  readonly stripPrefix: boolean;
  readonly bodyLimitBytes: number;
}

interface RunSettings {
  /** Requests that one instance works on at a time. */
  readonly concurrency: number;
  readonly memoryBytes: number;
  readonly timeoutMs: number;
  /** Invocations that may wait for an instance; one more is refused with 503. */
  readonly maxQueued: number;
}

/** A function's longest timeout, as on AWS Lambda: https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html */
export const LONGEST_FUNCTION_TIMEOUT_MS = 15 * 60_000;

export interface FunctionSettings extends RunSettings {
  /** Where `keepAlive` is `adaptive`: as long as its habits tell nothing. */
  readonly keepAliveMs: number;
  readonly keepAlive: 'fixed' | 'adaptive';
  /** A new process for every invocation. */
  readonly fresh: boolean;
  readonly maxInstances: number;
}

export interface ServiceSettings extends RunSettings {
  readonly minReplicas: number;
  /** The same as `minReplicas` where it does not grow and shrink with the work. */
  readonly maxReplicas: number;
  /** By what its clients are told apart, each of whom keeps to one replica; null: the one with the least to do. */
  readonly affinity: Affinity | null;
  readonly healthIntervalMs: number;
  /** How long a replica may finish what it has begun before it is told to end. */
  readonly drainMs: number;
}

/** `name` in lower case. */
export type Affinity =
  | { readonly kind: 'cookie' }
  | { readonly kind: 'ip' }
  | { readonly kind: 'header'; readonly name: string };

/** What may be asked of a component, whatever its mode; null: as much as anybody likes. */
export interface Limits {
  /** Invocations per second, `burst` of them at once; both or neither is null. */
  readonly rps: number | null;
  readonly burst: number | null;
  /** The same of one client's HTTP requests. */
  readonly perClient: ClientRate | null;
  /** Invocations that wait or are worked on, at a time; 0 refuses all. */
  readonly concurrency: number | null;
}

export interface ClientRate {
  readonly rps: number;
  readonly burst: number;
}

/** Limits that were chosen by hand: they hold until the config says something else than `configured`. */
export interface ChosenLimits {
  readonly configured: Limits;
  readonly chosen: Limits;
}

export const NO_LIMITS: Limits = { rps: null, burst: null, perClient: null, concurrency: null };

/** The burst of a rate that is given without one: a second's worth, and at least one. */
export function burstFor(rps: number): number {
  return Math.max(1, Math.ceil(rps));
}

export function sameLimits(one: Limits, other: Limits): boolean {
  return (
    one.rps === other.rps &&
    one.burst === other.burst &&
    one.concurrency === other.concurrency &&
    one.perClient?.rps === other.perClient?.rps &&
    one.perClient?.burst === other.perClient?.burst
  );
}
