import type { FunctionSettings, Mode, ModeSetting, ServiceSettings } from './app.ts';
import type { Objective } from './advisor-settings.ts';
import type { ModeFinding } from './mode-check.ts';

export type { AdvisorSettings, AutoSettings, MachinePrice } from './advisor-settings.ts';

/** What is known of a component or a group beside its usage, where a mode is to be advised for it. Plain data. */
export interface UnitFacts {
  /** Its name. */
  readonly unit: string;
  /** Itself, or the group's. */
  readonly members: readonly string[];
  readonly kind: 'module' | 'command' | 'group';
  readonly modeSetting: ModeSetting;
  /** What it runs as at present… */
  readonly mode: Mode;
  /** …and since when, in ms since the epoch, as far as this server knows. */
  readonly modeSinceMs: number;
  readonly function: FunctionSettings;
  readonly service: ServiceSettings;
  readonly objective: Objective;
  readonly triggers: {
    readonly routes: number;
    readonly events: readonly string[];
    /** As the config has them. */
    readonly schedules: readonly string[];
    /** Components that may call it. */
    readonly callers: readonly string[];
  };
  /** Whether its module takes WebSockets. Null where no instance has told yet. */
  readonly sockets: boolean | null;
  /** Folders that it may write, relative to the app's. */
  readonly storage: readonly string[];
  /** What its code does that is for one mode only, by the mode in which it would break. Null where it could not be looked at. */
  readonly findings: Readonly<Record<Mode, readonly ModeFinding[]>> | null;
  /** Releases of the last `days` that changed its code. */
  readonly deploys: { readonly count: number; readonly days: number };
  /** Calls between it and others, within the time that the call graph reaches back. */
  readonly calls: readonly UnitCalls[];
  /** How fast instances start here: measured of its own where there were any, in ms. Empty: none yet. */
  readonly startsMs: Readonly<Record<Mode, readonly number[]>>;
}

export interface UnitCalls {
  readonly with: string;
  /** `out`: it calls that one; `in`: it is called by it. */
  readonly direction: 'out' | 'in';
  readonly perSecond: number;
  readonly p50Ms: number;
  /** Of all: those within a process, 0 to 1. */
  readonly joined: number;
  /** The mode of that one. */
  readonly mode: Mode;
}
