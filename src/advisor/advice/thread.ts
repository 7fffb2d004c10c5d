import { FulcrumError } from '../../base/errors.ts';
import type { Advice } from '../../model/advice.ts';
import { jobInThread } from '../job-thread.ts';
import type { AdviceProgress, AdviceRequest } from './request.ts';

/** As `advise`, in a thread of its own. Rejects with what that throws, and with the signal's reason as soon as it is aborted. */
export async function adviseInThread(
  request: AdviceRequest,
  onProgress: (progress: AdviceProgress) => void = () => undefined,
  signal?: AbortSignal,
): Promise<Advice> {
  const tooLarge = new FulcrumError(
    'bad-request',
    'This traffic does not fit into memory. Give a shorter stretch of it.',
  );
  const thread = { module: './thread-worker', from: import.meta.url, name: 'fulcrum advise', tooLarge };
  return (await jobInThread(thread, request, onProgress, signal)) as Advice;
}
