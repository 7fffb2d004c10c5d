import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../../base/errors.ts';
import { rehearseSandbox } from '../sandbox/enter.ts';
import { rehearseInstance } from '../sandbox/instance.ts';
import { planSandbox } from '../sandbox/plan.ts';
import { probeMachine } from '../sandbox/probe.ts';
import { runtimeFiles } from '../sandbox/runtime-files.ts';

/** Goes through the motions of a sandbox in a root zygote, so that function zygotes inherit them as compiled code. */
export async function rehearseFunctionSandbox(): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'fulcrum-rehearsal-'));
  try {
    const plan = planSandbox(await probeMachine(), {
      component: 'rehearsal',
      kind: 'function',
      network: 'none',
      uid: process.getuid!(),
      readable: runtimeFiles(process.execPath),
      writable: [],
      sockets: [],
      hidden: [],
      mountPoint: scratch,
      tmpFolder: scratch,
      tmpBytes: 1024 * 1024,
      openFiles: 1_024,
      processes: 64,
      memoryBytes: null,
      cpuWeight: 100,
      cgroupName: 'fulcrum-rehearsal',
    });
    rehearseSandbox(plan, scratch);
    rehearseInstance({ ...plan, tree: { ...plan.tree, tmpFolder: scratch } });
  } catch (error) {
    // It will be slower, and where that is for a reason a real one will tell.
    process.stderr.write(`The rehearsal of a sandbox failed: ${messageOf(error)}\n`);
  } finally {
    rmdirSync(scratch);
  }
}
