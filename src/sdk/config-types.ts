/**
 * The config as authors write it. Written by hand, so that editors show these words and the sdk needs no schema library; a
 * test of `config` holds it to the schema that validates it. An optional key that is `undefined` counts as absent.
 */
export interface AppConfig {
  /** Lower-case letters, digits and hyphens, beginning with a letter; at most 41 characters. */
  name: string;
  /** By name: lower-case letters, digits and hyphens, beginning with a letter; at most 41 characters. */
  components: Readonly<Record<string, ComponentConfig>>;
  /** The environment of every component; a component's own wins. */
  env?: EnvConfig | undefined;
  /** Addresses or CIDR blocks whose `X-Forwarded-*` and `Forwarded` headers are believed. Default: none. */
  trustedProxies?: readonly string[] | undefined;
  /** Which other origins' pages may call the app. `true`: any, without credentials. Default: none. */
  cors?: true | CorsConfig | undefined;
  /** What holds for the events of the app. */
  events?: EventsConfig | undefined;
  /**
   * Modules that share their instances: `{ core: ['checkout', 'inventory'] }`. They have one mode, and call each other without leaving the
   * process; what a call means stays the same. To part them again is to delete the line. Default: each has instances of its own.
   */
  groups?: Readonly<Record<string, readonly string[]>> | undefined;
  /** By what `fulcrum advise` and `mode: 'auto'` decide between function and service. */
  advisor?: AdvisorConfig | undefined;
}

export interface AdvisorConfig {
  /**
   * Price books by id, as `fulcrum books ls` lists them; the cheapest that sells a mode counts for it. Default: `aws-lambda-x86` and
   * `aws-fargate-x86`.
   */
  books?: readonly string[] | undefined;
  /** A machine of your own, counted beside the books. Default: none. */
  machine?: MachineConfig | undefined;
  /** What is asked of the latency of components that say nothing of it. Default: nothing. */
  objective?: ObjectiveConfig | undefined;
  /** Work of people that one component takes. Default: nobody counts it. */
  operations?: OperationsConfig | undefined;
  /** What `mode: 'auto'` may do. */
  auto?: AutoConfig | undefined;
}

export interface MachineConfig {
  /** What it costs, whatever runs on it. */
  perMonth: number;
  /** Three letters; the books' own, for amounts of different currencies are not compared. Default: `USD`. */
  currency?: string | undefined;
  vcpu: number;
  gb: number;
}

export interface ObjectiveConfig {
  /** Waiting and duration of 99 % of its invocations together, 1ms to 24h. Absent: nothing is asked. */
  p99?: string | undefined;
}

export interface OperationsConfig {
  /** Hours of work in a month on one component in each mode, 0 to 730. Default: 0. */
  hoursPerMonth: { function?: number | undefined; service?: number | undefined };
  /** What an hour costs, in the books' currency. */
  perHour: number;
}

export interface AutoConfig {
  /** False: decisions are told, and nothing is switched. Default: true. */
  acts?: boolean | undefined;
  /** After a switch nothing is switched for so long, up to 30d. Default: 6h. */
  dwell?: string | undefined;
  /** How much usage one decision looks at, and how often there is one, 1m to 30d. Default: 1h. */
  window?: string | undefined;
  /** The saving that is worth a switch, at the least that is likely: 0 to 1. Default: 0.1, which is 10 %. */
  leastSaving?: number | undefined;
  /** What a switch is reckoned to cost, in the books' currency. Default: 0.01. */
  switchCost?: number | undefined;
}

export interface EventsConfig {
  /**
   * What becomes of an event that no component takes. `keep`: for 14 days, and a component that takes its type by then gets it.
   * `refuse`: `publish` rejects with `event-unmatched`. Default: `keep`.
   */
  unmatched?: 'keep' | 'refuse' | undefined;
  /** How long a `dedupe` key is remembered, up to 7d. Default: 5m. */
  dedupeWindow?: string | undefined;
  /** Where the gateway takes CloudEvents over HTTP. Default: nowhere. */
  endpoint?: EventEndpointConfig | undefined;
}

export interface EventEndpointConfig {
  /** An exact path, such as `/events`. */
  path: string;
  /** `events.example.com`. Default: every host. */
  host?: string | undefined;
  /** Who sends events shows it as `Authorization: Bearer …`; at least 16 characters. Better a `secret('NAME')`. */
  token: string | Secret;
}

/** What a config that is a function is given. */
export interface ConfigContext {
  /** `development` in `fulcrum dev`, unless another is named. */
  readonly environment: string;
}

/** A component is a module (`entry`), any program that listens on `$PORT` (`command`), or a folder of files (`static`). */
export type ComponentConfig = ModuleConfig | CommandConfig | StaticConfig;

interface CommonConfig {
  /** What reaches it over HTTP. Longest match wins. Default: nothing; other components can still call it. */
  routes?: readonly RouteConfig[] | undefined;
  /** Instead of the app's. */
  cors?: true | CorsConfig | undefined;
}

interface RunnableConfig extends CommonConfig {
  /** May be changed at any time with `fulcrum mode`. Default: `function`; `auto` begins as a function. */
  mode?: 'function' | 'service' | 'auto' | undefined;
  /** Of one instance, 64MB to 64GB: an idle Node process alone holds 40. Default: 128MB as a function, 256MB as a service. */
  memory?: string | undefined;
  /** Of one invocation; a function's at most 15m, a service's at most 24h. Default: 30s. */
  timeout?: string | undefined;
  /** Invocations that one instance works on at a time, 1 to 10,000. Default: 1 as a function, 100 as a service. */
  concurrency?: number | undefined;
  /** Invocations that may wait for an instance, 1 to 100,000; one more is refused with 503. Default: 1,000. */
  queue?: number | undefined;
  /**
   * How long a function's instance without work stays, up to 1h. `adaptive`: as long as the gaps between its invocations have been
   * so far, and ready again before the next is due; `1s` where they tell nothing. Default: 1s.
   */
  keepAlive?: string | undefined;
  /** Instances of a function at most, 1 to 1,000. Default: 100. */
  max?: number | undefined;
  /** A function gets a new process for every invocation. Default: false. */
  fresh?: boolean | undefined;
  /** Of a service, 1 to 100; `{ min, max }`: as many as the work wants. Default: 1. */
  replicas?: number | ReplicasConfig | undefined;
  /**
   * A service's clients that come back to the replica they had: told apart by a cookie that the gateway sets (`cookie`), by
   * a header (`header:X-User`) or by their address (`ip`). Default: each request goes to the replica with the least to do.
   */
  affinity?: string | undefined;
  /** What may be asked of it; more is refused with 429 before it costs an instance anything. Default: no limits. */
  limits?: LimitsConfig | undefined;
  /** Its share of the machine where all together want more than there is, 1 to 100: twice the weight, twice the share. Default: 1. */
  weight?: number | undefined;
  /** What is asked of its latency; `{}`: nothing. In a group: the same for all. Default: what the app's `advisor` says. */
  objective?: ObjectiveConfig | undefined;
  /** How long a replica may finish what it has begun before it is told to end, up to 24h. Default: 30s, or the timeout where that is longer. */
  drain?: string | undefined;
  /** Between two health checks of a replica, 100ms to 1h. Default: 10s. */
  healthInterval?: string | undefined;
  /** Added to the app's. */
  env?: EnvConfig | undefined;
  /** Folders inside the app's folder, relative to it, that the component may write. */
  storage?: readonly string[] | undefined;
  /**
   * Every component runs in a sandbox of what the machine can give. `required`: it is not started where a part of that is
   * missing; `fulcrum doctor` says what. Default: `best-effort`.
   */
  isolation?: 'best-effort' | 'required' | undefined;
  /**
   * `none`: no network but a loopback of its own; HTTP, calls and events still reach it, and it can call other components.
   * Not for commands, which listen on the network. Default: `full`, the machine's own.
   */
  network?: 'full' | 'none' | undefined;
  /** What holds for its asynchronous invocations. `true`: clients may ask for them with `?async`. Default: they may not. */
  async?: boolean | AsyncConfig | undefined;
  /** The components that it may call, by `use()` or a service binding. Default: any of the app. */
  calls?: readonly string[] | undefined;
}

export interface AsyncConfig {
  /** Whether clients of its routes may ask for it, with `?async` behind the address. Default: true. */
  open?: boolean | undefined;
  retry?: RetryConfig | undefined;
  /** How long a result can be asked for, up to 14d. Default: 1d. */
  keep?: string | undefined;
  /** The type of an event that is published with the result. */
  onSuccess?: string | undefined;
  /** The type of an event that is published with the error, when it is given up. */
  onFailure?: string | undefined;
}

export interface RetryConfig {
  /** Deliveries at most, the first included, 1 to 100. Default: 5. */
  attempts?: number | undefined;
  /** The longest pause before the second, 1ms to 1h; it doubles with each further one. Default: 1s. */
  first?: string | undefined;
  /** The longest pause of all, up to 24h. Default: 15m. */
  longest?: string | undefined;
}

/** Which events a component takes, and how. */
export interface SubscriptionConfig {
  /** `order.paid`, `order.*` (all that begin with `order.`), `*`. */
  types: readonly string[];
  /** What one invocation is given at most; what is tried again comes alone. Default: 10 events, as many of them as are there. */
  batch?: BatchConfig | undefined;
  /** Invocations with events at a time, 1 to 10,000. Default: as many as there are instances for. */
  concurrency?: number | undefined;
  retry?: RetryConfig | undefined;
}

export interface BatchConfig {
  /** 1 to 1,000. */
  size: number;
  /** How long a batch that is not full is waited for, up to 1m. Default: 0s. */
  wait?: string | undefined;
}

/** Of a command, which is sent CloudEvents over HTTP. */
export interface HttpSubscriptionConfig extends SubscriptionConfig {
  /** Where they are sent, by POST. An answer with a 2xx acknowledges. */
  path: string;
  /** `binary`: one a request, its attributes as header fields. `structured`: one, as JSON. `batched`: a list. Default: `binary`. */
  mode?: 'binary' | 'structured' | 'batched' | undefined;
}

/** A module that exports handlers and named functions. */
export interface ModuleConfig extends RunnableConfig {
  /** The module's file, relative to the app's folder. */
  entry: string;
  /** Types of events that its `queue` handler takes: `order.paid`, `order.*`, `*`. As an object where more is to be said. */
  events?: readonly string[] | SubscriptionConfig | undefined;
  /**
   * When its `scheduled` handler runs: a cron line of five or six fields, in UTC unless a time zone is given; `@every 30s`; or a list of
   * them.
   */
  schedule?: string | ScheduleConfig | readonly (string | ScheduleConfig)[] | undefined;
  /**
   * How long the process that a function's instances are forked from stays without an instance, up to 24h; it has the module
   * loaded. `0s`: it ends with its last instance. With `keepAlive: 'adaptive'`: as long as the gaps tell nothing. Default: 10m.
   */
  zygoteKeepAlive?: string | undefined;
  command?: undefined;
  static?: undefined;
  cwd?: undefined;
  health?: undefined;
  cacheControl?: undefined;
}

/** Any program that serves HTTP on the port in its environment variable `PORT`. */
export interface CommandConfig extends RunnableConfig {
  /** As a shell would take it. */
  command: string;
  /** Where it runs, relative to the app's folder. Default: the app's folder. */
  cwd?: string | undefined;
  /** A path that answers 2xx when it is healthy. Default: accepting a TCP connection is enough. */
  health?: string | undefined;
  /** It listens on the network, and so cannot be without one. */
  network?: 'full' | undefined;
  /** The events that it is sent over HTTP. */
  events?: HttpSubscriptionConfig | undefined;
  entry?: undefined;
  static?: undefined;
  schedule?: undefined;
  zygoteKeepAlive?: undefined;
  cacheControl?: undefined;
}

/** A folder of files. It has no instances and costs nothing. */
export interface StaticConfig extends CommonConfig {
  /** The folder, relative to the app's folder. */
  static: string;
  /** The `Cache-Control` header of what is served. Default: `public, max-age=0, must-revalidate`. */
  cacheControl?: string | undefined;
  entry?: undefined;
  command?: undefined;
  cwd?: undefined;
  health?: undefined;
  events?: undefined;
  schedule?: undefined;
  zygoteKeepAlive?: undefined;
  mode?: undefined;
  memory?: undefined;
  timeout?: undefined;
  concurrency?: undefined;
  queue?: undefined;
  keepAlive?: undefined;
  max?: undefined;
  fresh?: undefined;
  replicas?: undefined;
  affinity?: undefined;
  limits?: undefined;
  weight?: undefined;
  objective?: undefined;
  drain?: undefined;
  healthInterval?: undefined;
  env?: undefined;
  storage?: undefined;
  isolation?: undefined;
  network?: undefined;
  async?: undefined;
  calls?: undefined;
}

/**
 * `/exact`, `/prefix/*` (which also matches `/prefix`), either with a host before it: `shop.example.com/api/*`,
 * `*.example.com/*` (one label). As an object where more is to be said.
 */
export type RouteConfig = string | RouteObject;

export interface RouteObject {
  /** `/exact` or `/prefix/*`. */
  path: string;
  /** `shop.example.com` or `*.example.com`. Default: every host. */
  host?: string | undefined;
  /** The component sees `/x` where the client asked for `/prefix/x`. Default: false. */
  stripPrefix?: boolean | undefined;
  /** A larger request body is refused with 413; up to 100GB. Default: 10MB. */
  bodyLimit?: string | undefined;
}

export interface ReplicasConfig {
  /** Always there. Default: 1. */
  min?: number | undefined;
  max: number;
}

export interface LimitsConfig {
  /** Invocations per second, 0.01 to 1,000,000. */
  rps?: number | undefined;
  /** So many of them may come at once. Default: a second's worth. */
  burst?: number | undefined;
  /** HTTP requests per second from one client (an IPv4 address, or an IPv6 /64); as an object with its own `burst`. */
  perClient?: number | ClientRateConfig | undefined;
  /** Invocations that wait or are worked on, at a time. 0: all are refused, which switches the component off. */
  concurrency?: number | undefined;
}

export interface ClientRateConfig {
  rps: number;
  /** Default: a second's worth. */
  burst?: number | undefined;
}

export interface ScheduleConfig {
  /** Five fields, or six with seconds first; or `@every 30s`. */
  cron?: string | undefined;
  /** Once, instead of `cron`: `2026-12-24T18:00:00+01:00`. */
  at?: string | undefined;
  /** Of `cron`: a name of the IANA time zone database, such as `Europe/Berlin`. Default: `UTC`. */
  timeZone?: string | undefined;
  /** Needed where a component has several. Default: `schedule`. */
  name?: string | undefined;
  /** Of ticks that were missed, the server being down, the latest is run (`run`) or none (`skip`). Default: `run`. */
  missed?: 'run' | 'skip' | undefined;
  /** A tick while the one before is not done with is skipped (`skip`), or runs beside it (`allow`). Default: `skip`. */
  overlap?: 'skip' | 'allow' | undefined;
  /** Default: 3 attempts. */
  retry?: RetryConfig | undefined;
}

export interface CorsConfig {
  /** `'*'`, or origins such as `https://shop.example.com`. Default: `'*'`. */
  origins?: '*' | readonly string[] | undefined;
  /** Default: GET, HEAD, PUT, PATCH, POST and DELETE. */
  methods?: readonly string[] | undefined;
  /** Request headers that pages may send. Default: any and Authorization; with credentials: Authorization and Content-Type. */
  headers?: readonly string[] | undefined;
  /** Answer headers that pages may read. Default: none beyond the usual. */
  exposedHeaders?: readonly string[] | undefined;
  /** Whether cookies may come along; needs origins to be named. Default: false. */
  credentials?: boolean | undefined;
  /** How long a browser may remember a preflight's answer, up to 24h. Default: 10m. */
  maxAge?: string | undefined;
}

/** By variable: a string, or `secret('NAME')`. Nothing else is passed on from the server's own environment. */
export type EnvConfig = Readonly<Record<string, string | Secret>>;

/** The name of a secret, in place of its value. Made by `secret()`. */
export interface Secret {
  readonly $secret: string;
}
