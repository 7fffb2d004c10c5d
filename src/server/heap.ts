import { setFlagsFromString } from 'node:v8';

/**
 * Has the server's own short garbage collections run in one thread: what they find alive is a few hundred kilobytes, and to share
 * that out among threads took a tenth of all CPU time under load on two cores, which the instances then lacked.
 */
export function tuneHeap(): void {
  setFlagsFromString('--no-parallel-scavenge');
}
