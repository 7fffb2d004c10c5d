import type { ChosenLimits, Mode, ModeSetting } from './app.ts';
import type { ReleaseChange } from './release.ts';

/** One app in one environment, as a server keeps it. */
export interface AppRecord {
  /** `shop`; in another environment than production `shop@staging`. */
  readonly id: string;
  readonly name: string;
  readonly environment: string;
  /** Lower case; where empty it answers under every host that no other app claims. A request's host is looked for here first. */
  readonly hosts: readonly string[];
  /** `/shop`: its routes lie below it, and do not see it; empty for none. */
  readonly prefix: string;
  readonly createdAtMs: number;
  /** Number of the release that serves; null before the first has. */
  readonly serving: number | null;
  /** A release that is given part of the traffic until it serves or goes back; null for none. */
  readonly canary: CanaryRecord | null;
  /**
   * Modes that were chosen by hand, by component or group. Each holds until the config itself says something else than `configured`; a
   * component's is kept while it is in a group, for when it is by itself again.
   */
  readonly modes: Readonly<Record<string, ChosenMode>>;
  /** Limits that were chosen by hand, by component, likewise. */
  readonly limits: Readonly<Record<string, ChosenLimits>>;
  /** Counts changes: an update names the one that it has seen. */
  readonly version: number;
}

export interface ChosenMode {
  readonly configured: ModeSetting;
  readonly chosen: ModeSetting;
  /** Where `chosen` is `auto`: what it means at present. */
  readonly mode: Mode;
  /** It was chosen for a group. Absent: for a component. */
  readonly isGroup?: boolean;
}

/** What was asked of a canary. */
export interface CanaryPlan {
  /** Percent of the clients, rising, each above 0 and below 100; what follows the last is all. */
  readonly steps: readonly number[];
  readonly everyMs: number;
  /** Share of failed requests, 0 to 1, above which it goes back. */
  readonly maxErrors: number;
}

export interface CanaryRecord extends CanaryPlan {
  readonly release: number;
  /** Index into `steps`. */
  readonly step: number;
  readonly stepBeganAtMs: number;
}

export type AppChanges = Partial<
  Pick<AppRecord, 'hosts' | 'prefix' | 'serving' | 'canary' | 'modes' | 'limits'>
>;

/** The apps of a server. What it returns has outlived a loss of power. */
export interface AppStore {
  /** By id. */
  list(): Promise<readonly AppRecord[]>;
  get(id: string): Promise<AppRecord | null>;
  /** Rejects with `conflict` where there is one of that id. */
  create(app: Omit<AppRecord, 'version'>): Promise<AppRecord>;
  /**
   * Rejects with `conflict` where `version` is not the present one, and with `not-found`.
   * @param release one of the app's whose state changes with it: both are kept, or neither.
   */
  update(id: string, version: number, changes: AppChanges, release?: ReleaseChange): Promise<AppRecord>;
  /** With its releases, secrets and usage; the audit log stays. Idempotent. */
  remove(id: string): Promise<void>;
}
