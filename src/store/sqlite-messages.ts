import type { ErrorCode } from '../base/errors.ts';
import type { OperationName } from './operations/index.ts';

export type SqliteUse = 'serve' | 'look';

/** What the server's thread and the store's thread say to each other. */
export interface WorkerSettings {
  /** `serve`: made where there is none, and brought up to date. `look`: opened as it is. */
  readonly use: SqliteUse;
  readonly path: string;
  readonly busyTimeoutMs: number;
  /** Wall time, for the schema's history. */
  readonly nowMs: number;
}

export type ToWorker =
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly operation: OperationName;
      readonly argument: unknown;
    }
  | { readonly kind: 'close' };

export type FromWorker =
  | { readonly kind: 'opened'; readonly migrated: readonly string[] }
  | { readonly kind: 'refused'; readonly error: PlainError }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: PlainError };

/** A FulcrumError as it crosses threads, where classes are lost. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly cause: string | null;
}
