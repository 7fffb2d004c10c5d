import { statSync } from 'node:fs';

/** Two writes within this time may leave one modification time: file systems stamp by the kernel's tick. */
const TICK_MS = 20;

/** What is known of a file from its last look: enough to tell that it is not the same any more. */
export interface FileStamp {
  /** Empty where there is no file. */
  readonly mark: string;
  readonly sizeBytes: number;
  /** Latest change of its content, its name or its permissions, in ms since the epoch. */
  readonly changedAtMs: number;
  /** It was written so shortly before the look that a later write may leave the same mark. */
  readonly fresh: boolean;
}

/** Stands for a file that is not there. */
export const ABSENT: FileStamp = { mark: '', sizeBytes: 0, changedAtMs: 0, fresh: false };

export function stampOf(file: string, nowMs: number): FileStamp {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return ABSENT;
  return {
    mark: `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeMs}`,
    sizeBytes: stats.size,
    changedAtMs: Math.max(stats.mtimeMs, stats.ctimeMs),
    fresh: stats.mtimeMs > nowMs - TICK_MS,
  };
}

/** Whether a file has changed between two looks. @param touched the system has told of it since the first. */
export function hasChanged(before: FileStamp, after: FileStamp, touched: boolean): boolean {
  return before.mark !== after.mark || (touched && before.fresh);
}

/** Whether a file may be in the middle of a save: editors empty it, or move it away, before they write it anew. */
export function looksHalfSaved(before: FileStamp, after: FileStamp): boolean {
  return before.sizeBytes > 0 && after.sizeBytes === 0;
}
