/** The escape suite from inside a real instance of the fork engine, beside a real sibling. */
import { NO_PUBLISHER } from '../../src/model/event.ts';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import { NO_CALLER, NO_CALL_SINK } from '../../src/model/calls.ts';
import type { ModuleSpec } from '../../src/model/app.ts';
import type { Instance, InstanceHome, Runtime } from '../../src/model/instance.ts';
import { ForkRuntime } from '../../src/runtime/fork/fork-runtime.ts';
import type { SandboxPlan } from '../../src/runtime/sandbox/plan.ts';
import { BlankSites } from '../../src/runtime/sandbox/blank-sites.ts';
import { removeCgroups } from '../../src/runtime/sandbox/cgroup.ts';
import { probeMachine } from '../../src/runtime/sandbox/probe.ts';
import { createSpawnRuntime } from '../../src/runtime/spawn/spawn-runtime.ts';
import { ask } from '../conformance/runtime/bench.ts';
import { attemptsFor } from './hostile/table.ts';
import { Stage } from './support/stage.ts';

const machine = await probeMachine();
const skip =
  machine.platform === 'linux' && machine.ffi && machine.capabilities.administrate
    ? false
    : 'only root can have the sandboxes of this test';
const attempts = attemptsFor({ kind: 'function', network: 'full' });

interface Line {
  readonly name: string;
  readonly outcome: string;
}

const HOME: InstanceHome = {
  caller: NO_CALLER,
  calls: NO_CALL_SINK,
  components: () => [],
  publisher: NO_PUBLISHER,
  log: { write: () => undefined },
  env: {},
};

describe('an instance of the fork engine', { skip }, () => {
  let stage: Stage;
  let runtime: Runtime;
  let plan: SandboxPlan;
  let sites: BlankSites;
  let sibling: Instance;
  let hostile: Instance;
  const outcomes = new Map<string, string>();
  /** Each instance's own, as it says. */
  const folders = new Map<Instance, string>();

  before(async () => {
    stage = await Stage.open(machine, { uid: 0, gid: 0 });
    plan = stage.plan({ kind: 'function' });
    stage.group(plan);
    sites = new BlankSites(machine, plan.mountPoint!, `${plan.cgroup?.name ?? 'fulcrum-escape'}-zygote`);
    const parts = {
      clock: systemClock,
      logger: silentLogger,
      baseEnv: { PATH: '/usr/bin:/bin' },
    };
    const fallback = await createSpawnRuntime({ ...parts, socketPath: stage.path('spawn', 's') });
    runtime = new ForkRuntime({
      ...parts,
      fallback,
      waitsForRoots: () => true,
      // A root zygote takes its time to warm up where other tests keep the machine busy.
      startTimeoutMs: 60_000,
      sites,
      sandboxFor: () => Promise.resolve(plan),
    });
    // The first of a function without keep-alive has no zygote; those beside it share one, which keeps no spares.
    await start('i_alone');
    sibling = await start('i_sibling');
    hostile = await start('i_hostile');
    const world = stage.world(plan, {
      wires: 1,
      ownFolder: folderOf(hostile),
      siblingFolder: folderOf(sibling),
      siblingPid: innerPid(sibling),
      otherPid: sibling.pid,
    });
    const answer = ask(hostile, '/', { body: Buffer.from(JSON.stringify(world)) });
    assert.equal((await answer.outcome).error, null);
    const { lines } = (await answer.json()) as { lines: Line[] };
    for (const { name, outcome } of lines) outcomes.set(name, outcome);
  });

  after(async () => {
    await runtime.close();
    const left = await Promise.all(sites.cgroups.map(removeCgroups));
    assert.deepEqual(left.flat(), []);
    await stage.close();
  });

  test('both are forked, and of one process tree', () => {
    assert.deepEqual([sibling.engine, hostile.engine], ['fork', 'fork']);
    assert.notEqual(innerPid(hostile), innerPid(sibling));
  });

  for (const attempt of attempts) {
    test(attempt.name, () => {
      const outcome = outcomes.get(attempt.name);
      assert.ok(outcome !== undefined && attempt.refused.includes(outcome), `it came to ${outcome}`);
    });
  }

  test('the sibling’s folder is there, and it is refused', () => {
    const tried = attempts.filter(({ name }) => name.includes("sibling's temporary"));
    assert.ok(tried.length >= 3);
    for (const { name } of tried) assert.equal(outcomes.get(name), 'EACCES', name);
  });

  test('the sibling answers as before', async () => {
    assert.equal(sibling.state, 'ready');
    assert.deepEqual(await sibling.healthy(5_000), { healthy: true });
  });

  test('the temporary files of an instance that has ended are gone', async () => {
    await hostile.stop(1_000, 'enough');
    const next = await start('i_next');
    assert.deepEqual(await next.healthy(5_000), { healthy: true });
    // What the zygote does when a child has ended, it has done before it forks again.
    const left = readdirSync(`/proc/${next.pid}/root${plan.tree.tmpFolder}`);
    const expected = [folderOf(next), folderOf(sibling)].map((path) => basename(path));
    assert.deepEqual(left.filter((name) => /^[0-9a-z]{12}$|^\./.test(name)).sort(), expected.sort());
  });

  function folderOf(instance: Instance): string {
    return folders.get(instance)!;
  }

  async function start(instanceId: string): Promise<Instance> {
    const instance = await begin(instanceId);
    const answer = ask(instance, '/');
    assert.equal((await answer.outcome).error, null);
    folders.set(instance, answer.text);
    return instance;
  }

  function begin(instanceId: string): Promise<Instance> {
    return runtime.start({
      instanceId,
      home: HOME,
      revision: {
        kind: 'module',
        id: '0123456789ab',
        env: {},
        envDigest: '',
        // Without a keep-alive there are no spares, which would be met by whoever tries every number.
        spec: { kind: 'module', name: 'mallory', zygoteKeepAliveMs: 0 } as ModuleSpec,
        bundle: {
          path: join(import.meta.dirname, 'hostile', 'component.ts'),
          filesRoot: stage.path('app', 'mallory'),
          digest: '',
          sizeBytes: 1,
          sources: [],
        },
      },
      mode: 'function',
      concurrency: 1,
      memoryBytes: 256 * 1024 * 1024,
      inspectPort: null,
      signal: new AbortController().signal,
    });
  }
});

/** The instance's process id as its component counts. */
function innerPid(instance: Instance): number {
  const ids = /^NSpid:(.*)$/m.exec(readFileSync(`/proc/${instance.pid}/status`, 'utf8'))![1]!;
  return Number(ids.trim().split(/\s+/).at(-1));
}
