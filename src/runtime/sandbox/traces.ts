import { call } from '../native/native.ts';

const PR_SET_DUMPABLE = 4;

/**
 * Has this process leave no traces: processes of the same user see nothing of its memory, environment and descriptors. The
 * kernel forgets that when a program is executed, so a program of ours asks for it again.
 */
export function leaveNoTraces(): void {
  call('prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0], 'traces');
}
