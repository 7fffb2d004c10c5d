import type { ErrorCode } from '../base/errors.ts';
import type { Operations } from './sqlite-operations.ts';

/** What the server's thread and the store's thread say to each other. */
export interface WorkerSettings {
  readonly path: string;
  readonly busyTimeoutMs: number;
  /** Wall time, for the schema's history. */
  readonly nowMs: number;
}

export type ToWorker =
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly operation: keyof Operations;
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
