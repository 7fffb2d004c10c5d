import type { ErrorCode } from '../base/errors.ts';
import type { AppEvents } from '../model/app-events.ts';
import type { Limits, Mode, ModeSetting } from '../model/app.ts';
import type { CallGraph } from '../model/calls.ts';
import type { CapacityReader, CapacityReport } from '../model/capacity.ts';
import type { Outcome, ThrownError } from '../model/invocation.ts';
import type { Published } from '../model/event.ts';
import type { AppStatus, ComponentStatus, GroupStatus, LimitsStatus } from '../model/status.ts';
import type { ModeStep } from '../model/mode-history.ts';
import type { ModeCheck } from '../model/mode-check.ts';
import type { UsageLine, UsageSpan } from '../model/usage-export.ts';
import type { LogReader } from './log-book.ts';

/** What the admin API asks of the running server. Implemented by `server/`; everything here is plain data, for it goes over HTTP as JSON. */
export interface ControlPort {
  app(): AppStatus;
  components(): Promise<readonly ComponentStatus[]>;
  groups(): Promise<readonly GroupStatus[]>;
  /** Who called whom within the last `windowMs`, as this server has measured it. */
  calls(windowMs: number): CallGraph;
  /** What its machine and limits have room for, and until when, from the usage of the last `days`. Rejects with `store-failed`. */
  capacity(days: number, reader: CapacityReader): Promise<CapacityReport>;
  /** What was counted, line by line, the first a head and the last its end. Throws `store-failed`. */
  usage(span: UsageSpan): AsyncIterable<UsageLine>;
  /**
   * Resolves when new work goes to the new mode only. Rejects with `not-found`, `bad-request` (a static component, or a member of a group,
   * which has its group's mode), `start-failed`, or, without `force`, `switch-unsafe` where the code would break in the new mode
   * (details: the `ModeCheck`'s).
   * @param unit a component, or a group.
   */
  setMode(unit: string, mode: ModeSetting, options?: ModeOptions): Promise<ModeChange>;
  /**
   * What was decided about modes, by hand and by `auto`, the newest first. Rejects with `store-failed`.
   * @param unit null: of all. @param before a step's id; null: from the newest on.
   */
  modeHistory(unit: string | null, before: string | null, limit: number): Promise<readonly ModeStep[]>;
  /** What a switch would break; switches nothing. Rejects with `not-found` or `bad-request`. */
  checkMode(unit: string, mode: ModeSetting): Promise<ModeCheck>;
  /** What may be asked of it. Throws `not-found`, and `bad-request` for a static component. */
  limits(component: string): LimitsStatus;
  /**
   * Limits chosen by hand hold at once, for every release, until the config itself says something else than now; null: what the config
   * says holds again. Rejects as `limits` throws, and with `store-failed` where it could not be kept; then nothing has changed.
   */
  setLimits(component: string, limits: Limits | null): Promise<LimitsStatus>;
  /** Runs one invocation by hand. Rejects only where none could be begun (`not-found`, `bad-request`); everything else is an outcome. */
  invoke(component: string, request: ManualInvocation, signal: AbortSignal): Promise<ManualResult>;
  /** Its events, and what else is kept to be done. */
  readonly events: AppEvents;
  /**
   * Publishes what came as CloudEvents over HTTP, in whichever mode; all of it or nothing. Rejects as `events.publish` does. Absent: only
   * JSON of our own form is taken.
   */
  publishCloudEvents?(request: CloudEventsRequest): Promise<readonly Published[]>;
  readonly logs: LogReader;
  /** Ends the server gracefully, after the answer has gone out. Absent: it cannot be ended this way. */
  stop?(): void;
}

export interface CloudEventsRequest {
  /** Header fields as they came: name, value, … */
  readonly fields: readonly string[];
  readonly body: Uint8Array;
}

export interface ModeOptions {
  /** Though the code would break in the new mode. */
  readonly force?: boolean;
  /** Who asks, as the audit says it. */
  readonly by?: string;
}

export interface ModeChange {
  /** Or a group. */
  readonly component: string;
  readonly from: Mode;
  readonly to: Mode;
  readonly tookMs: number;
}

export type ManualInvocation =
  | { readonly kind: 'call'; readonly function: string; readonly args: readonly unknown[] }
  /** `cron` and `atMs` (epoch) are what the handler is told; by default the component's own schedule and now. */
  | { readonly kind: 'scheduled'; readonly cron?: string | undefined; readonly atMs?: number | undefined }
  | { readonly kind: 'queue'; readonly messages: readonly ManualMessage[] };

interface ManualMessage {
  readonly type: string;
  readonly data: unknown;
}

export interface ManualResult {
  readonly outcome: Outcome;
  /** What the function returned, as JSON; absent where it returned undefined or did not end well. */
  readonly value?: unknown;
  readonly thrown?: ThrownError | undefined;
  readonly requestId: string;
  readonly durationMs: number;
  readonly cold: boolean;
  readonly billedMs: number;
  /** Set for every outcome but `ok`. */
  readonly error?: { readonly code: ErrorCode; readonly message: string } | undefined;
}
