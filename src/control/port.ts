import type { ErrorCode } from '../base/errors.ts';
import type { Mode, ModeSetting } from '../model/app.ts';
import type { Outcome, ThrownError } from '../model/invocation.ts';
import type { AppStatus, ComponentStatus } from '../model/status.ts';
import type { LogBook } from './log-book.ts';

/** What the admin API asks of the running server. Implemented by `server/`; everything here is plain data, for it goes over HTTP as JSON. */
export interface ControlPort {
  app(): AppStatus;
  components(): Promise<readonly ComponentStatus[]>;
  /** Resolves when new work goes to the new mode only. Rejects with `not-found`, `bad-request` (a static component) or `start-failed`. */
  setMode(component: string, mode: ModeSetting): Promise<ModeChange>;
  /** Runs one invocation by hand. Rejects only where none could be begun (`not-found`, `bad-request`); everything else is an outcome. */
  invoke(component: string, request: ManualInvocation, signal: AbortSignal): Promise<ManualResult>;
  readonly logs: LogBook;
  /** Ends the server gracefully, after the answer has gone out. Absent: it cannot be ended this way. */
  stop?(): void;
}

export interface ModeChange {
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
