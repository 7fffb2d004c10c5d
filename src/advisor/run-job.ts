import { parentPort, workerData } from 'node:worker_threads';
import { asFulcrumError } from '../base/errors.ts';
import type { JobMessage, JobProgress } from './job-thread.ts';

const PROGRESS_EVERY_MS = 100;

/** What a job's thread does: `work` on what it was given. Progress is told ten times a second, and at each new step. */
export async function runJob(
  work: (request: never, onProgress: (progress: JobProgress) => void) => unknown,
): Promise<void> {
  const tell = (message: JobMessage): void => parentPort!.postMessage(message, []);
  let toldMs = 0;
  let told: string | null = null;
  const onProgress = (progress: JobProgress): void => {
    const nowMs = performance.now();
    if (progress.step === told && nowMs - toldMs < PROGRESS_EVERY_MS) return;
    told = progress.step;
    toldMs = nowMs;
    tell({ kind: 'progress', progress });
  };
  try {
    tell({ kind: 'done', result: await work(workerData as never, onProgress) });
  } catch (thrown) {
    const { code, message, cause } = asFulcrumError(thrown);
    const stack = cause instanceof Error ? cause.stack : undefined;
    tell({ kind: 'failed', code, message, ...(stack === undefined ? {} : { stack }) });
  }
}
