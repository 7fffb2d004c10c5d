import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const WRITER = new URL('./writer-main.ts', import.meta.url).pathname;

/**
 * Has a process of its own write to `place`, and kills it with SIGKILL in the middle of the next write after at least `count`.
 * @returns the last number that it printed, which was acknowledged.
 */
export async function killWriter(kind: string, place: string, from: number, count = 20): Promise<number> {
  const child = spawn(process.execPath, ['--conditions=fulcrum-source', WRITER, kind, place, String(from)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let last = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    if (last >= from + count) child.kill('SIGKILL');
  }
  const [code, signal] = (await exited) as [number | null, string | null];
  assert.equal(signal, 'SIGKILL', `the writer ended by itself with code ${code}`);
  return last;
}
