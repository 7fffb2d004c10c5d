import { parentPort, workerData } from 'node:worker_threads';
import { asFulcrumError } from '../../base/errors.ts';
import { advise } from './advise.ts';
import type { AdviceProgress, AdviceRequest } from './request.ts';
import type { AdviceMessage } from './thread.ts';

const PROGRESS_EVERY_MS = 100;

const tell = (message: AdviceMessage): void => parentPort!.postMessage(message, []);
let toldMs = 0;
let told: AdviceProgress['step'] | null = null;

function onProgress(progress: AdviceProgress): void {
  const nowMs = performance.now();
  if (progress.step === told && nowMs - toldMs < PROGRESS_EVERY_MS) return;
  told = progress.step;
  toldMs = nowMs;
  tell({ kind: 'progress', progress });
}

try {
  tell({ kind: 'done', advice: advise(workerData as AdviceRequest, onProgress) });
} catch (thrown) {
  const { code, message, cause } = asFulcrumError(thrown);
  const stack = cause instanceof Error ? cause.stack : undefined;
  tell({ kind: 'failed', code, message, ...(stack === undefined ? {} : { stack }) });
}
