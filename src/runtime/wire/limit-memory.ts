import { formatBytes } from '../../base/bytes.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { MemoryWatch } from '../process/memory-watch.ts';
import type { WireInstance } from './wire-instance.ts';

/** Has `watch` hold `instance` to `memoryBytes`: beyond them it ends with `memory-exceeded`. */
export function limitMemory(watch: MemoryWatch, instance: WireInstance, memoryBytes: number): void {
  const forget = watch.watch({
    pid: instance.pid,
    memoryBytes,
    exceeded: (heldBytes) => {
      const message = `The instance held ${formatBytes(heldBytes)} of memory, where it may hold ${formatBytes(memoryBytes)}. Raise \`memory\`, or hold less at a time.`;
      instance.fail(new FulcrumError('memory-exceeded', message, { details: { heldBytes, memoryBytes } }));
    },
  });
  void instance.ended.then(forget);
}
