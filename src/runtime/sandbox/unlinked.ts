import { closeSync, openSync, readlinkSync } from 'node:fs';

/** Node has no name for it. */
export const O_PATH = 0o10000000;

/**
 * What lies at `path`, by a descriptor (O_PATH) that is good for this very file or folder. Throws `ELOOP` where a link was passed on the way: the path
 * was a real one when it was planned, so somebody has put a link there since. The kernel itself says where what it has opened lies, so that
 * nothing can be swapped between the look and the use. Not by `openat2`, which the sandbox refuses, and rules are made inside as well.
 */
export function openUnlinked(path: string): number {
  const opened = openSync(path, O_PATH);
  try {
    const lies = readlinkSync(`/proc/self/fd/${opened}`);
    if (lies !== path) throw passedLink(path, lies);
    return opened;
  } catch (error) {
    closeSync(opened);
    throw error;
  }
}

function passedLink(path: string, lies: string): NodeJS.ErrnoException {
  // Where the link led is not for the app's log.
  const where = lies.endsWith(' (deleted)') ? 'has just been removed' : 'leads elsewhere by a link';
  return Object.assign(new Error(`${path} ${where}: what is stored must be a folder of its own`), {
    code: 'ELOOP',
  });
}
