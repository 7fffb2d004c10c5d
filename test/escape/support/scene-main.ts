/**
 * A root zygote with two components: one that minds its own business, and one with a hostile instance and a sibling of it.
 * Writes a line of JSON for everything that is to be judged. Its one argument is the scene.
 */
import { closeSync, existsSync, readdirSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { closeDescriptor, pipe } from '../../../src/runtime/native/descriptors.ts';
import { afterFork, exitNow, fork, reap } from '../../../src/runtime/native/native.ts';
import {
  enterBlank,
  enterComponent,
  enterSandbox,
  rehearseSandbox,
} from '../../../src/runtime/sandbox/enter.ts';
import {
  emptyInstance,
  enterInstance,
  prepareInstance,
  rehearseInstance,
} from '../../../src/runtime/sandbox/instance.ts';
import { becomeNamespaceRoot, forkInto } from '../../../src/runtime/sandbox/namespaces.ts';
import type { SandboxPlan } from '../../../src/runtime/sandbox/plan.ts';
import type { World } from '../hostile/attempt.ts';

export interface Scene {
  readonly plan: SandboxPlan;
  readonly other: SandboxPlan;
  readonly world: World;
  /** An empty folder. */
  readonly scratch: string;
  readonly bombs: readonly ('forkBomb' | 'memoryBomb')[];
}

const scene = JSON.parse(process.argv[2]!) as Scene;

function park(): never {
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

function tell(line: object): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** Runs `child` in a child that `forked` has made; waits until it says that it has begun. */
function begin(forked: () => number, child: (begun: () => void) => void): number {
  const [readyRead, readyWrite] = pipe();
  const pid = forked();
  if (pid === 0) {
    closeDescriptor(readyRead);
    try {
      child(() => {
        writeSync(readyWrite, 'r');
        closeDescriptor(readyWrite);
      });
      park();
    } catch (error) {
      tell({ error: String(error) });
      exitNow(1);
    }
  }
  closeDescriptor(readyWrite);
  readSync(readyRead, Buffer.alloc(1));
  closeDescriptor(readyRead);
  return pid;
}

function forkInstance(prepared: number): () => number {
  return () => {
    const pid = fork();
    if (pid === 0) afterFork();
    else if (prepared >= 0) closeSync(prepared);
    return pid;
  };
}

/** Runs `work` in an instance, and waits for its end. */
async function instance(
  plan: SandboxPlan,
  id: string,
  work: (folder: string) => Promise<void>,
): Promise<object> {
  const prepared = prepareInstance(plan);
  const pid = forkInstance(prepared)();
  if (pid === 0) {
    try {
      await work(enterInstance(plan, id, prepared));
      exitNow(0);
    } catch (error) {
      tell({ error: String(error) });
      exitNow(1);
    }
  }
  return reap(pid, true) ?? {};
}

async function zygote({ plan, world, bombs }: Scene): Promise<void> {
  enterSandbox(plan);
  rehearseInstance(plan);
  const prepared = prepareInstance(plan);
  const siblingPid = begin(forkInstance(prepared), (begun) => {
    const folder = enterInstance(plan, 'i_sibling', prepared);
    writeFileSync(join(folder, 'secret'), 'of the sibling');
    begun();
  });
  const end = await instance(plan, 'i_hostile', async (ownFolder) => {
    process.env['TMPDIR'] = ownFolder;
    // As the fork engine does: user code comes after the sandbox.
    const { tryEverything } = await import('../hostile/main.ts');
    await tryEverything({
      ...world,
      siblingPid,
      ownFolder,
      siblingFolder: join(plan.tree.tmpFolder, 'i_sibling'),
    });
  });
  tell({ event: 'hostile', ...end });
  tell({ event: 'sibling', alive: reap(siblingPid) === null });
  const emptied = emptyInstance(plan, 'i_hostile');
  const left = readdirSync(plan.tree.tmpFolder).filter((name) => name.includes('i_') || name.startsWith('.'));
  tell({ event: 'emptied', emptied, left });
  for (const bomb of bombs) {
    const fate = await instance(plan, `i_${bomb}`, async () => {
      const module = await import('../hostile/bombs.ts');
      tell({ event: `${bomb} tried`, outcome: module[bomb]() });
    });
    tell({ event: bomb, ...fate });
  }
  tell({ event: 'zygote', sibling: reap(siblingPid) === null, bundle: existsSync(world.ownBundle) });
}

if (scene.plan.route === 'user-namespace') becomeNamespaceRoot();
rehearseSandbox(scene.plan, scene.scratch);
tell({ event: 'rehearsed', left: readdirSync(scene.scratch), cwd: process.cwd() });
const otherPid = begin(
  () => forkInto(scene.other),
  (begun) => {
    // In two halves, as a process that waits for a component does.
    enterBlank(scene.other);
    enterComponent(scene.other);
    begun();
  },
);
const zygotePid = forkInto(scene.plan);
if (zygotePid === 0) {
  try {
    await zygote({ ...scene, world: { ...scene.world, otherPid } });
    exitNow(0);
  } catch (error) {
    tell({ error: String(error) });
    exitNow(1);
  }
}
const end = reap(zygotePid, true);
tell({ event: 'other', alive: reap(otherPid) === null });
process.kill(otherPid, 'SIGKILL');
reap(otherPid, true);
exitNow(end?.exitCode ?? 1);
