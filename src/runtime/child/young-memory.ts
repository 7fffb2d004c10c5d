import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * V8 counts the buffers that a handler is given as memory outside of its heap. It frees them with a short collection, but begins none
 * for their sake until so many are there that it collects its whole heap as well: a large upload has it do that a dozen times a
 * second. So a short one is asked for in time.
 */

/** So much is handed out between two short collections, each of which takes about half a millisecond. */
const COLLECT_EVERY_BYTES = 4 * 1024 * 1024;

type Collect = (options: { readonly type: 'minor' }) => void;

let collect: Collect | null = null;
let handedOutBytes = 0;

/** A copy of `bytes` for a handler, which it may keep. */
export function youngCopy(bytes: Uint8Array): Buffer {
  handedOutBytes += bytes.length;
  if (handedOutBytes >= COLLECT_EVERY_BYTES) {
    handedOutBytes = 0;
    collect ??= collector();
    collect({ type: 'minor' });
  }
  return Buffer.from(bytes);
}

/** V8 gives it to contexts that are made while the flag is set: the author's code never sees it. */
function collector(): Collect {
  setFlagsFromString('--expose-gc');
  const made = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  return made;
}
