import { Worker } from 'node:worker_threads';
import { asFulcrumError, FulcrumError, type ErrorCode } from '../../base/errors.ts';
import type { Comparison } from '../../model/comparison.ts';
import type { ComparisonProgress, ComparisonRequest } from './request.ts';

const WORKER = new URL(`./thread-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);

/** What the thread tells: how far it is, and at the end one of the others. */
export type ThreadMessage =
  | { readonly kind: 'progress'; readonly progress: ComparisonProgress }
  | { readonly kind: 'done'; readonly comparison: Comparison }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly stack?: string };

/**
 * As `compare`, in a thread of its own: a replay does not yield, and whoever waits for it wants to see how far it is, and to be able to end it. Rejects
 * with what `compare` throws.
 */
export async function compareInThread(
  request: ComparisonRequest,
  onProgress: (progress: ComparisonProgress) => void,
): Promise<Comparison> {
  const worker = new Worker(WORKER, {
    workerData: request,
    name: 'fulcrum simulate',
    execArgv: process.execArgv.filter(
      (flag) => flag.startsWith('--conditions') || flag.startsWith('--disable-warning'),
    ),
  });
  const { promise, resolve, reject } = Promise.withResolvers<Comparison>();
  worker.on('message', (message: ThreadMessage) => {
    if (message.kind === 'progress') onProgress(message.progress);
    else if (message.kind === 'done') resolve(message.comparison);
    else reject(failure(message));
  });
  worker.once('error', (error) => reject(endedBy(error)));
  worker.once('exit', () => reject(new FulcrumError('internal', 'The thread that replays has ended.')));
  try {
    return await promise;
  } finally {
    await worker.terminate();
  }
}

function failure({ code, message, stack }: ThreadMessage & { kind: 'failed' }): FulcrumError {
  const cause = new Error(message);
  if (stack !== undefined) cause.stack = stack;
  return new FulcrumError(code, message, code === 'internal' ? { cause } : {});
}

function endedBy(error: unknown): FulcrumError {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ERR_WORKER_OUT_OF_MEMORY') return asFulcrumError(error);
  return new FulcrumError(
    'trace-invalid',
    'The trace does not fit into memory. Give a shorter stretch of it, or fewer functions.',
  );
}
