import { parentPort, workerData } from 'node:worker_threads';
import { asFulcrumError } from '../../base/errors.ts';
import { compare } from './compare.ts';
import type { ComparisonProgress, ComparisonRequest } from './request.ts';
import type { ThreadMessage } from './thread.ts';

const PROGRESS_EVERY_MS = 100;

const tell = (message: ThreadMessage): void => parentPort!.postMessage(message, []);
let toldMs = 0;
let told: ComparisonProgress['step'] | null = null;

function onProgress(progress: ComparisonProgress): void {
  const nowMs = performance.now();
  if (progress.step === told && nowMs - toldMs < PROGRESS_EVERY_MS) return;
  told = progress.step;
  toldMs = nowMs;
  tell({ kind: 'progress', progress });
}

try {
  tell({ kind: 'done', comparison: await compare(workerData as ComparisonRequest, onProgress) });
} catch (thrown) {
  const { code, message, cause } = asFulcrumError(thrown);
  const stack = cause instanceof Error ? cause.stack : undefined;
  tell({ kind: 'failed', code, message, ...(stack === undefined ? {} : { stack }) });
}
