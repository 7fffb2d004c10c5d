import { Worker } from 'node:worker_threads';
import { asFulcrumError, FulcrumError, type ErrorCode } from '../base/errors.ts';

/** What a job's thread tells: how far it is, and at the end one of the others. */
export type JobMessage =
  | { readonly kind: 'progress'; readonly progress: JobProgress }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string; readonly stack?: string };

export interface JobProgress {
  readonly step: string;
}

export interface JobThread {
  /** The module that calls `runJob`, as seen from `from`, without its ending: as compiled it has another. */
  readonly module: string;
  /** `import.meta.url` of whoever asks. */
  readonly from: string;
  /** As tools show it. */
  readonly name: string;
  /** What is said where the thread runs out of memory. */
  readonly tooLarge: FulcrumError;
}

/**
 * A long computation in a thread of its own: it does not yield, and whoever waits for it wants to see how far it is, and to be able to end it.
 * What comes from there is as untyped as what goes there: whoever names the module knows both. Rejects with what the job throws, and with the signal's reason as soon as that is aborted.
 */
export async function jobInThread(
  { module, from, name, tooLarge }: JobThread,
  request: unknown,
  onProgress: (progress: never) => void,
  signal?: AbortSignal,
): Promise<unknown> {
  signal?.throwIfAborted();
  const worker = new Worker(new URL(`${module}.${from.endsWith('.ts') ? 'ts' : 'js'}`, from), {
    workerData: request,
    name,
    execArgv: process.execArgv.filter(
      (flag) => flag.startsWith('--conditions') || flag.startsWith('--disable-warning'),
    ),
  });
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const abort = (): void => reject(signal!.reason);
  signal?.addEventListener('abort', abort, { once: true });
  worker.on('message', (message: JobMessage) => {
    if (message.kind === 'progress') onProgress(message.progress as never);
    else if (message.kind === 'done') resolve(message.result);
    else reject(failure(message.code, message.message, message.stack));
  });
  worker.once('error', (error) => reject(endedBy(error, tooLarge)));
  worker.once('exit', () => reject(new FulcrumError('internal', `The thread of ${name} has ended.`)));
  try {
    return await promise;
  } finally {
    signal?.removeEventListener('abort', abort);
    await worker.terminate();
  }
}

function failure(code: ErrorCode, message: string, stack?: string): FulcrumError {
  const cause = new Error(message);
  if (stack !== undefined) cause.stack = stack;
  return new FulcrumError(code, message, code === 'internal' ? { cause } : {});
}

function endedBy(error: unknown, tooLarge: FulcrumError): FulcrumError {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ERR_WORKER_OUT_OF_MEMORY' ? tooLarge : asFulcrumError(error);
}
