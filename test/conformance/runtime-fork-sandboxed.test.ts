/** The fork engine, each function in its sandbox: nothing that works without may fail with it. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { ForkRuntime } from '../../src/runtime/fork/fork-runtime.ts';
import { planSandbox } from '../../src/runtime/sandbox/plan.ts';
import { probeMachine } from '../../src/runtime/sandbox/probe.ts';
import { runtimeFiles } from '../../src/runtime/sandbox/runtime-files.ts';
import { createSpawnRuntime } from '../../src/runtime/spawn/spawn-runtime.ts';
import { runtimeConformance } from './runtime.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const machine = await probeMachine();

if (machine.platform !== 'linux' || !machine.ffi || !machine.capabilities.administrate) {
  test('runtime fork, sandboxed', { skip: 'only root can have the sandboxes of this test' });
} else {
  runtimeConformance('fork, sandboxed', async (parts) => {
    const mountPoint = join(dirname(parts.socketPath), 'root');
    mkdirSync(mountPoint);
    const plan = planSandbox(machine, {
      component: 'shop',
      kind: 'function',
      network: 'full',
      uid: 1_900_000_005,
      readable: [...runtimeFiles(process.execPath), join(REPOSITORY, 'test', 'conformance')],
      writable: [],
      sockets: [],
      hidden: [],
      mountPoint,
      tmpFolder: '/tmp',
      tmpBytes: 8 * 1024 * 1024,
      openFiles: 1_024,
      processes: 256,
      memoryBytes: null,
      cpuWeight: 100,
      cgroupName: 'fulcrum-conformance',
    });
    const fallback = await createSpawnRuntime(parts);
    const sandbox = { ...plan, cgroup: null };
    return new ForkRuntime({
      ...parts,
      fallback,
      waitsForRoots: () => true,
      sandboxFor: () => Promise.resolve(sandbox),
    });
  });
}
