/** The spawn engine, each of its processes in the sandbox that the launcher enters: nothing that works without may fail with it. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { planSandbox } from '../../src/runtime/sandbox/plan.ts';
import { probeMachine } from '../../src/runtime/sandbox/probe.ts';
import { runtimeFiles } from '../../src/runtime/sandbox/runtime-files.ts';
import { createSpawnRuntime } from '../../src/runtime/spawn/spawn-runtime.ts';
import { runtimeConformance } from './runtime.ts';

const REPOSITORY = join(import.meta.dirname, '..', '..');
const machine = await probeMachine();

if (machine.platform !== 'linux' || !machine.ffi) {
  test('runtime spawn, sandboxed', { skip: 'there are no sandboxes on this machine' });
} else {
  // The launcher's, which is the same for all: the engine's own is the components'.
  const compileCacheFolder = mkdtempSync(join(tmpdir(), 'fulcrum-launcher-'));
  after(() => rmSync(compileCacheFolder, { recursive: true }));
  runtimeConformance(
    'spawn, sandboxed',
    async (parts) => {
      const folder = join(dirname(parts.socketPath), 'sandbox');
      mkdirSync(join(folder, 'root'), { recursive: true });
      mkdirSync(join(folder, 'tmp'));
      const plan = planSandbox(machine, {
        component: 'shop',
        kind: 'program',
        network: 'full',
        uid: 1_900_000_003,
        readable: [...runtimeFiles(process.execPath), join(REPOSITORY, 'test', 'conformance')],
        writable: [],
        sockets: [parts.socketPath],
        hidden: [],
        mountPoint: join(folder, 'root'),
        tmpFolder: join(folder, 'tmp'),
        tmpBytes: 8 * 1024 * 1024,
        openFiles: 1_024,
        processes: 256,
        memoryBytes: null,
        cpuWeight: 100,
        cgroupName: 'fulcrum-conformance',
      });
      // Stands where the engine starts Node, and starts Node in the sandbox instead.
      const nodePath = join(folder, 'node.mjs');
      const launcher = new URL('../../src/runtime/sandbox/launch.ts', import.meta.url);
      writeFileSync(
        nodePath,
        `#!${process.execPath} --disable-warning=ExperimentalWarning
import { launch } from ${JSON.stringify(launcher.href)};
const plan = ${JSON.stringify({ ...plan, cgroup: null })};
const { NODE_COMPILE_CACHE: _, ...env } = process.env;
const program = { file: process.execPath, args: process.argv.slice(2), env };
const options = { compileCacheFolder: ${JSON.stringify(compileCacheFolder)}, parentPid: process.ppid };
const { file, args, env: own } = launch(plan, program, options);
process.execve(file, [file, ...args], own);
`,
        { mode: 0o755 },
      );
      const runtime = await createSpawnRuntime({ ...parts, nodePath });
      // The component has another user, and of the socket's folder sees the socket alone.
      chmodSync(parts.socketPath, 0o666);
      return runtime;
    },
    'its process',
  );
}
