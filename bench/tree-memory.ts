import { readdirSync, readFileSync } from 'node:fs';

/** `root` and all that it has begun, directly or through others. Linux. */
export function processTree(root: number): number[] {
  const childrenOf = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    // The parent is the second field behind the name, which may hold spaces and parentheses, proc(5).
    const parent = Number(
      read(pid, 'stat')
        ?.replace(/^.*\) /s, '')
        .split(' ')[1],
    );
    if (!childrenOf.has(parent)) childrenOf.set(parent, []);
    childrenOf.get(parent)!.push(pid);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...(childrenOf.get(pid) ?? []));
  return tree;
}

/** Memory that nothing else shares with the process, in bytes; NaN once it has gone. */
export function privateBytes(pid: number): number {
  return sum(pid, /^Private_\w+:\s+(\d+) kB$/gm) ?? NaN;
}

/** Memory of the processes together, what several share counted once, in bytes. Those that have gone count nothing. */
export function proportionalBytes(pids: readonly number[]): number {
  return pids.reduce((bytes, pid) => bytes + (sum(pid, /^Pss:\s+(\d+) kB$/gm) ?? 0), 0);
}

/** What the machine could still give away, in bytes: tells what page tables and the kernel's own records take, too. */
export function availableBytes(): number {
  return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1]) * 1_024;
}

/** Looks at a process and all that it has begun now and then, while `work` goes on. */
export async function peakOfTree(
  root: number,
  everyMs: number,
  work: () => Promise<unknown>,
): Promise<number> {
  let peak = 0;
  const look = (): void => {
    peak = Math.max(peak, proportionalBytes(processTree(root)));
  };
  const timer = setInterval(look, everyMs);
  try {
    await work();
    look();
    return peak;
  } finally {
    clearInterval(timer);
  }
}

function sum(pid: number, lines: RegExp): number | null {
  const text = read(pid, 'smaps_rollup');
  if (text === null) return null;
  let bytes = 0;
  for (const [, kilobytes] of text.matchAll(lines)) bytes += Number(kilobytes) * 1_024;
  return bytes;
}

function read(pid: number, file: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return null;
  }
}
