import { addressIn, readWord, tryCall, writeWord } from './native.ts';

/** Node's platform for V8 as a C++ class: the table of its virtual functions, the one that counts threads, one that answers 0. */
const TABLE = '_ZTVN4node12NodePlatformE';
const COUNTS_THREADS = '_ZN4node12NodePlatform21NumberOfWorkerThreadsEv';
const ANSWERS_ZERO = '_ZN2v88platform30DefaultWorkerThreadsTaskRunner16IdleTasksEnabledEv';
/** The table has some thirty entries. */
const ENTRIES = 64;
const PAGE_BYTES = 4096n;
const PROT_READ = 1;
const PROT_WRITE = 2;

/**
 * Tells V8 that its platform has no worker threads, which is so in a fork. Node makes at least one whatever its flags say, and
 * V8 posts it a task for each collection of the young generation, `--single-threaded` or not. In a fork nobody takes them:
 * a thread of `node:worker_threads` then waits for them at its end, and for ever.
 * For this, one entry of a table of functions is made to lead to another function, in this process and its forks.
 * @returns whether it could be done: this Node may be built otherwise.
 */
export function hideWorkerThreads(): boolean {
  const [table, counts, zero] = [addressIn(TABLE), addressIn(COUNTS_THREADS), addressIn(ANSWERS_ZERO)];
  if (table === null || counts === null || zero === null) return false;
  for (let entry = table; entry < table + BigInt(ENTRIES * 8); entry += 8n) {
    if (readWord(entry) !== counts) continue;
    const page = entry & ~(PAGE_BYTES - 1n);
    const protect = (access: number): number => tryCall('mprotect', [page, Number(PAGE_BYTES), access]);
    // Linked to be read only. Refused where pages are larger, or where the system forbids it.
    if (protect(PROT_READ | PROT_WRITE) < 0) return false;
    writeWord(entry, zero);
    protect(PROT_READ);
    return true;
  }
  return false;
}
