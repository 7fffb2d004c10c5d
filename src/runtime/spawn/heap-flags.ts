const MB = 1024 * 1024;
/** What Node itself takes beside the JavaScript heap: code, stacks, buffers of a quiet process. */
const BESIDE_HEAP_MB = 24;
const MIN_OLD_SPACE_MB = 16;

/**
 * Node's flags that make its heap fit into `memoryBytes`, so that the garbage collector works harder before the limit is
 * met, and V8 says what was wrong when it is. Memory outside the heap (buffers) is the memory watch's to find.
 */
export function heapFlags(memoryBytes: number): string[] {
  const totalMb = Math.floor(memoryBytes / MB);
  // The young generation is three semi-spaces; V8 takes 16 MB for each where nobody says otherwise.
  const semiSpaceMb = Math.min(16, Math.max(1, Math.floor(totalMb / 16)));
  const oldSpaceMb = Math.max(MIN_OLD_SPACE_MB, totalMb - 3 * semiSpaceMb - BESIDE_HEAP_MB);
  // V8 begins with 1 MB: under load the requests in flight then outlive it, and are carried to the old generation to die there.
  const firstSemiSpaceMb = Math.min(4, semiSpaceMb);
  return [
    `--max-old-space-size=${oldSpaceMb}`,
    `--max-semi-space-size=${semiSpaceMb}`,
    `--min-semi-space-size=${firstSemiSpaceMb}`,
    // What is young and alive is a few hundred kilobytes: sharing that out among threads takes longer than to copy it.
    '--no-parallel-scavenge',
  ];
}
