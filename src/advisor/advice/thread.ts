import { Worker } from 'node:worker_threads';
import { asFulcrumError, FulcrumError, type ErrorCode } from '../../base/errors.ts';
import type { Advice } from '../../model/advice.ts';
import type { AdviceProgress, AdviceRequest } from './request.ts';

const WORKER = new URL(`./thread-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);

/** What the thread tells: how far it is, and at the end one of the others. */
export type AdviceMessage =
  | { readonly kind: 'progress'; readonly progress: AdviceProgress }
  | { readonly kind: 'done'; readonly advice: Advice }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly stack?: string };

/**
 * As `advise`, in a thread of its own: replays do not yield. Rejects with what `advise` throws, and with the signal's reason as soon as that is
 * aborted.
 */
export async function adviseInThread(
  request: AdviceRequest,
  onProgress: (progress: AdviceProgress) => void = () => undefined,
  signal?: AbortSignal,
): Promise<Advice> {
  signal?.throwIfAborted();
  const worker = new Worker(WORKER, {
    workerData: request,
    name: 'fulcrum advise',
    execArgv: process.execArgv.filter(
      (flag) => flag.startsWith('--conditions') || flag.startsWith('--disable-warning'),
    ),
  });
  const { promise, resolve, reject } = Promise.withResolvers<Advice>();
  const abort = (): void => reject(signal!.reason);
  signal?.addEventListener('abort', abort, { once: true });
  worker.on('message', (message: AdviceMessage) => {
    if (message.kind === 'progress') onProgress(message.progress);
    else if (message.kind === 'done') resolve(message.advice);
    else reject(failure(message));
  });
  worker.once('error', (error) => reject(endedBy(error)));
  worker.once('exit', () => reject(new FulcrumError('internal', 'The thread that advises has ended.')));
  try {
    return await promise;
  } finally {
    signal?.removeEventListener('abort', abort);
    await worker.terminate();
  }
}

function failure({ code, message, stack }: AdviceMessage & { kind: 'failed' }): FulcrumError {
  const cause = new Error(message);
  if (stack !== undefined) cause.stack = stack;
  return new FulcrumError(code, message, code === 'internal' ? { cause } : {});
}

function endedBy(error: unknown): FulcrumError {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ERR_WORKER_OUT_OF_MEMORY') return asFulcrumError(error);
  return new FulcrumError(
    'bad-request',
    'This traffic does not fit into memory. Give a shorter stretch of it.',
  );
}
