import type { ComponentSpec, Limits, Mode, ModeSetting } from './app.ts';
import type { Engine } from './instance.ts';

/** What `fulcrum ps` shows: plain data, as it goes over the control API. */
export interface AppStatus {
  readonly name: string;
  readonly directory: string;
  readonly environment: string;
  readonly gatewayUrl: string;
  readonly startedAtMs: number;
  readonly components: number;
  /** The last deploy that failed since the one that serves, with its message; null where the last one went well. */
  readonly failedDeploy: { readonly atMs: number; readonly message: string } | null;
}

/** Why what should serve of an app did not start. The server tries it again and again. */
export interface StartFailure {
  readonly atMs: number;
  readonly message: string;
}

/** What a server's machine has for the instances of all apps, and how much of that is promised. */
export interface BudgetStatus {
  readonly memoryBytes: number;
  /** Held by processes, or kept for the minimum of services. */
  readonly promisedBytes: number;
  /** The part of it that is kept, and that no process holds. */
  readonly keptBytes: number;
  readonly cpus: number;
  /** The machine itself is short of memory: no function instance starts, and idle ones end. */
  readonly pressed: boolean;
  /** Components that wait for room. */
  readonly waiting: number;
}

export interface ComponentStatus {
  readonly name: string;
  readonly kind: ComponentSpec['kind'];
  /**
   * The group that it is in; null: it runs by itself. What members share is the group's: `mode`, `engine`, `sandbox`, `instances`, `queued`,
   * `lastError` and `decisions` are told of each of them, and once of the group ({@link GroupStatus}). All else is its own.
   */
  readonly group: string | null;
  /** Null for a static component, which has no instances. */
  readonly modeSetting: ModeSetting | null;
  readonly mode: Mode | null;
  readonly revision: string | null;
  readonly engine: Engine | null;
  /** Why not a better engine; null where there is none. */
  readonly engineReason: string | null;
  /** Null for a static component. */
  readonly sandbox: SandboxStatus | null;
  readonly routes: readonly string[];
  readonly events: readonly string[];
  readonly schedules: readonly ScheduleStatus[];
  /** What is kept for it to be done; null where it takes no events, has no schedule and no asynchronous work. */
  readonly backlog: BacklogStatus | null;
  readonly instances: readonly InstanceStatus[];
  readonly queued: number;
  /** The last minute's invocations; null for a static component. */
  readonly lastMinute: TrafficSummary | null;
  readonly lastError: string | null;
  /** Why its instances came and went: the latest 50 of all its living releases, the oldest first. */
  readonly decisions: readonly Decision[];
  /** Null for a static component. */
  readonly limits: LimitsStatus | null;
}

/** Components that share their instances: what there is once for all of them. */
export interface GroupStatus {
  /** No component has it. */
  readonly name: string;
  /** In the order of the config. */
  readonly members: readonly string[];
  readonly modeSetting: ModeSetting;
  readonly mode: Mode;
  /** Another one where any member's is. */
  readonly revision: string;
  readonly engine: Engine;
  readonly engineReason: string | null;
  readonly sandbox: SandboxStatus | null;
  readonly instances: readonly InstanceStatus[];
  readonly queued: number;
  readonly lastError: string | null;
  readonly decisions: readonly Decision[];
}

/** Of one instance. */
export interface Decision {
  /** Epoch milliseconds: when it was begun, or when its process was gone. */
  readonly atMs: number;
  readonly instance: string;
  readonly kind: 'start' | 'end';
  /** For a person: `queue 3`, `keep-alive passed`, `ended unexpectedly: exit code 1`. */
  readonly reason: string;
}

export interface LimitsStatus {
  /** What the config says. */
  readonly configured: Limits;
  /** What was set by hand, and holds instead; null: nothing. */
  readonly chosen: Limits | null;
  /** Invocations that limits refused within the last minute. */
  readonly refused: number;
}

/** What of a sandbox a component's processes have. */
export interface SandboxStatus {
  /** Whether nothing is missing that keeps anybody out. */
  readonly complete: boolean;
  /** Its own user id; null: it has none. */
  readonly uid: number | null;
  /** Outermost first; `reason` says why one is missing or left out. */
  readonly layers: readonly {
    readonly name: string;
    readonly state: 'on' | 'missing' | 'unasked';
    readonly reason: string | null;
  }[];
}

export interface InstanceStatus {
  readonly id: string;
  /** 0 while it starts. */
  readonly pid: number;
  readonly mode: Mode;
  readonly revision: string;
  readonly state: 'starting' | 'ready' | 'draining' | 'ending';
  readonly inFlight: number;
  readonly served: number;
  readonly ageMs: number;
  readonly memoryBytes: number | null;
  readonly cpuMs: number | null;
  /** Why it was started: `queue 3`, `replica 1 of 2`, `mode switch`, `replaces i_abc (exit code 1)`. */
  readonly reason: string;
  /** Why it drains or ends; null while it may take work. */
  readonly endReason: string | null;
  readonly inspectUrl: string | null;
  /**
   * A replica that is given no work because it kept failing: for how long still. 0: it is next tried with one invocation, or is being
   * tried. Null: it is given work.
   */
  readonly ejectedForMs: number | null;
}

export interface TrafficSummary {
  readonly count: number;
  readonly failed: number;
  readonly cold: number;
  /** Slot-to-end durations; null where count is 0. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly billedMs: number;
  readonly cpuMs: number;
}

export interface ScheduleStatus {
  readonly name: string;
  /** As the config has it, its time zone behind it unless that is UTC. */
  readonly text: string;
  readonly lastAtMs: number | null;
  /** Null: it has not ticked yet. */
  readonly lastState: 'running' | 'ok' | 'failed' | 'skipped' | null;
  readonly lastMessage: string | null;
  /** Null: never again. */
  readonly nextAtMs: number | null;
}

/** Counts stop at 10,000. */
export interface BacklogStatus {
  /** Due, and not delivered yet. */
  readonly waiting: number;
  /** Since when the oldest of those is due. */
  readonly oldestDueAtMs: number | null;
  readonly underWay: number;
  /** For a later time: delayed, to be tried again, or behind another of their key. */
  readonly later: number;
  readonly dead: number;
}
