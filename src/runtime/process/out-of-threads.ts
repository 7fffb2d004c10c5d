import type { ProcessEnd } from './managed-process.ts';

/**
 * A program that has no room for its threads ends by itself and says so: Node's assertion, or the C library's words; seen with Node 26
 * in a control group with `pids.max`.
 */
export function ranOutOfThreads(end: ProcessEnd, lastOutput: string): boolean {
  return end.exitCode !== 0 && /\b(?:uv_thread_create|pthread_create)\b/.test(lastOutput);
}
