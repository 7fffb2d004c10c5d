import { fork } from './foreign.ts';

const FOREVER = new Int32Array(new SharedArrayBuffer(4));
const ENOUGH_PROCESSES = 500;
const ENOUGH_BYTES = 600 * 1024 * 1024;

/** Forks until it may not any more. Its copies wait; they end with whoever counts them. */
export function forkBomb(): string {
  for (let count = 0; count < ENOUGH_PROCESSES; count++) {
    try {
      if (fork() === 0) Atomics.wait(FOREVER, 0, 0);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? 'failed';
    }
  }
  return 'as many as it liked';
}

/** Takes memory until it is stopped. */
export function memoryBomb(): string {
  const held: Buffer[] = [];
  for (let bytes = 0; bytes < ENOUGH_BYTES; bytes += 8 * 1024 * 1024) {
    held.push(Buffer.alloc(8 * 1024 * 1024, 1));
  }
  return `${held.length}`;
}
