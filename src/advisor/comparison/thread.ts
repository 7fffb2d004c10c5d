import { FulcrumError } from '../../base/errors.ts';
import type { Comparison } from '../../model/comparison.ts';
import { jobInThread } from '../job-thread.ts';
import type { ComparisonProgress, ComparisonRequest } from './request.ts';

/** As `compare`, in a thread of its own. Rejects with what that throws. */
export async function compareInThread(
  request: ComparisonRequest,
  onProgress: (progress: ComparisonProgress) => void,
): Promise<Comparison> {
  const tooLarge = new FulcrumError(
    'trace-invalid',
    'The trace does not fit into memory. Give a shorter stretch of it, or fewer functions.',
  );
  const thread = { module: './thread-worker', from: import.meta.url, name: 'fulcrum simulate', tooLarge };
  return (await jobInThread(thread, request, onProgress)) as Comparison;
}
