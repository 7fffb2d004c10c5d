import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { InstanceUsage } from '../../model/instance.ts';

/** Linux tells process times in ticks of 1/100 s whatever the kernel's own rate (USER_HZ, proc(5)). */
const TICK_MS = 10;
/** The only page size of x86-64; arm64 kernels with larger pages are read through smaps_rollup, which counts kB. */
const PAGE_BYTES = 4096;
/** Processes that one instance may have and that are looked at; more of them go uncounted. */
const MAX_DESCENDANTS = 64;

/**
 * Private memory and CPU time of a process and its descendants (`npm start` is a shell, npm and the program).
 * @param leader its process id, which is its group's id too.
 * @returns null once it is gone, or where this system cannot tell.
 */
export async function measureProcess(leader: number): Promise<InstanceUsage | null> {
  if (process.platform === 'linux') return await measureLinux(leader);
  return await measureByPs(leader);
}

/**
 * An upper bound of a process tree's private memory that costs microseconds: resident pages that no file backs. Pages
 * that a forked process still shares with its parent are counted. Null where only the exact figure is to be had.
 */
export function privateMemoryBound(leader: number): number | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  let bytes = 0;
  for (const pid of processTree(leader)) {
    const fields = (readProc(pid, 'statm') ?? '').split(' ');
    bytes += (Number(fields[1] ?? 0) - Number(fields[2] ?? 0)) * PAGE_BYTES;
  }
  return bytes;
}

async function measureLinux(leader: number): Promise<InstanceUsage | null> {
  let memoryBytes = 0;
  let cpuMs: number | null = null;
  for (const pid of processTree(leader)) {
    const ticks = cpuTicks(pid);
    if (ticks === null) continue;
    cpuMs = (cpuMs ?? 0) + ticks * TICK_MS;
    memoryBytes += await privateMemory(pid);
  }
  return cpuMs === null ? null : { memoryBytes, cpuMs };
}

/** `leader` and what it started, found by the kernel's lists of children; what daemonised itself is not among them. */
function processTree(leader: number): number[] {
  const tree = [leader];
  for (let i = 0; i < tree.length && tree.length < MAX_DESCENDANTS; i++) {
    const pid = tree[i]!;
    for (const child of (readProc(pid, `task/${pid}/children`) ?? '').split(' ')) {
      if (child !== '' && tree.length < MAX_DESCENDANTS) tree.push(Number(child));
    }
  }
  return tree;
}

/** utime, stime, cutime and cstime of /proc/PID/stat: its own time and that of the children that it has reaped. */
function cpuTicks(pid: number): number | null {
  const stat = readProc(pid, 'stat');
  if (stat === null) return null;
  // The second field is the program's name in parentheses and may hold spaces and parentheses of its own.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return null;
  let ticks = 0;
  for (let i = 11; i <= 14; i++) ticks += Number(fields[i] ?? 0);
  return ticks;
}

/** Asynchronous, unlike the rest: the kernel walks the process' page tables under its memory lock for this. */
async function privateMemory(pid: number): Promise<number> {
  try {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1');
    let bytes = 0;
    for (const match of text.matchAll(/^Private_\w+:\s+(\d+) kB/gm)) bytes += Number(match[1]) * 1024;
    return bytes;
  } catch {
    const fields = (readProc(pid, 'statm') ?? '').split(' ');
    return (Number(fields[1] ?? 0) - Number(fields[2] ?? 0)) * PAGE_BYTES;
  }
}

/** Synchronous: these files of procfs are made up in memory within microseconds, less than a trip to the thread pool. */
function readProc(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return null;
  }
}

const run = promisify(execFile);

/** macOS: resident memory stands in for private memory, which only `footprint` knows, in seconds. */
async function measureByPs(leader: number): Promise<InstanceUsage | null> {
  try {
    const { stdout } = await run('ps', ['-A', '-o', 'pgid=,rss=,time='], { timeout: 2_000 });
    return sumPs(stdout, leader);
  } catch {
    return null;
  }
}

/** Adds up the lines of `ps -o pgid=,rss=,time=` that belong to the group; exported for its test. */
export function sumPs(stdout: string, group: number): InstanceUsage | null {
  let found = false;
  let memoryBytes = 0;
  let cpuMs = 0;
  for (const line of stdout.split('\n')) {
    const match = /^\s*(\d+)\s+(\d+)\s+(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)\s*$/.exec(line);
    if (match === null || Number(match[1]) !== group) continue;
    const [days, hours, minutes, seconds] = match.slice(3).map((part) => Number(part ?? 0));
    found = true;
    memoryBytes += Number(match[2]) * 1024;
    cpuMs += (((days! * 24 + hours!) * 60 + minutes!) * 60 + seconds!) * 1_000;
  }
  return found ? { memoryBytes, cpuMs } : null;
}
