/**
 * Hostile code tries to get out. What it tries is a table (`hostile/`); each line says in what it must end. It runs as root's
 * component and as an ordinary user's, as an instance of a function and as a program, and calls the kernel by `node:ffi`
 * as it likes: that nothing works shows that the sandbox is enough by itself.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { LayerName } from '../../src/runtime/sandbox/layers.ts';
import { launch } from '../../src/runtime/sandbox/launch.ts';
import type { SandboxPlan } from '../../src/runtime/sandbox/plan.ts';
import { probeMachine } from '../../src/runtime/sandbox/probe.ts';
import type { Attempt, World } from './hostile/attempt.ts';
import { attemptsFor } from './hostile/table.ts';
import { cannotPlay, Stage, type Line, type User } from './support/stage.ts';
import type { Scene } from './support/scene-main.ts';

const SUPPORT = join(import.meta.dirname, 'support');
const NOBODY: User = { uid: 65_534, gid: 65_534 };
const ROOT: User = { uid: 0, gid: 0 };

const isRoot = process.getuid?.() === 0;
const machine = await probeMachine();
const here = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const noSandbox =
  machine.platform !== 'linux' || !machine.ffi ? 'there are no sandboxes on this machine' : null;

/** The machine as another user finds it: without root's capabilities and control groups. */
const ordinaryMachine = isRoot
  ? {
      ...machine,
      ...NOBODY,
      capabilities: { administrate: false, changeUser: false },
      cgroups: { folders: {}, missing: { memory: 'not root', pids: 'not root', cpu: 'not root' } },
    }
  : machine;

const users = [
  {
    name: 'root',
    user: ROOT,
    machine,
    skip: noSandbox ?? (isRoot ? null : 'the tests do not run as root'),
  },
  {
    name: 'an ordinary user',
    user: isRoot ? NOBODY : here,
    machine: ordinaryMachine,
    skip: noSandbox ?? (isRoot ? cannotPlay(NOBODY) : null),
  },
];

for (const { name, user, machine: seen, skip } of users) {
  describe(`${name}'s component`, { skip: skip ?? false }, () => {
    let stage: Stage;
    const mounts = mountCount();
    before(async () => {
      stage = await Stage.open(seen, user);
    });
    after(async () => {
      await stage.close();
      assert.equal(mountCount(), mounts, 'mounts have been left behind');
    });

    describe('without a sandbox (what is tried does work)', () => {
      const lines = lazily(async () => {
        const plan = stage.plan({ kind: 'program' });
        const world = stage.world(plan, { ownFolder: stage.path('tmp') });
        return await stage.run([join(SUPPORT, 'outside-main.ts'), JSON.stringify(world)]);
      });
      for (const network of ['full', 'none'] as const) {
        for (const attempt of attemptsFor({ kind: 'function', network })) {
          if (attempt.outside === undefined) continue;
          test(attempt.name, async () => {
            assert.equal(outcomeIn(await lines(), attempt), attempt.outside);
          });
        }
      }
    });

    describe('a function', () => {
      const bombs = ['forkBomb', 'memoryBomb'] as const;
      let plan: SandboxPlan;
      before(() => {
        plan = stage.plan({ kind: 'function' });
        stage.group(plan);
      });
      const lines = lazily(() => play(stage, plan, stage.world(plan), [...bombs]));
      judged('function', 'full', () => plan, lines);

      test('all that was tried has been told', async () => {
        const told = (await lines()).filter((line) => line.name !== undefined);
        assert.equal(told.length, attemptsFor({ kind: 'function', network: 'full' }).length);
        assert.ok(told.length >= 60, `${told.length}`);
      });
      test('its sibling, the zygote and the other component live on', async () => {
        assert.equal(eventIn(await lines(), 'hostile').exitCode, 0);
        assert.equal(eventIn(await lines(), 'sibling').alive, true);
        assert.deepEqual(
          [eventIn(await lines(), 'zygote').sibling, eventIn(await lines(), 'zygote').bundle],
          [true, true],
        );
        assert.equal(eventIn(await lines(), 'other').alive, true);
      });
      test('a rehearsal leaves nothing', async () => {
        const { left, cwd } = eventIn(await lines(), 'rehearsed');
        assert.deepEqual([left, cwd], [[], stage.path('app', 'mallory')]);
      });
      test('nothing of its temporary files is left', async () => {
        const { emptied, left } = eventIn(await lines(), 'emptied');
        assert.deepEqual([emptied, left], [true, ['i_sibling']]);
      });
      test('a fork bomb ends at its bound', async () => {
        assert.equal(eventIn(await lines(), 'forkBomb tried').outcome, 'EAGAIN');
      });
      test('a memory bomb is killed', async (t) => {
        const missing = missingIn(plan, 'memory');
        if (missing !== null) return t.skip(missing);
        assert.equal(eventIn(await lines(), 'memoryBomb').signal, 9);
      });
    });

    describe('a function without a network', () => {
      let plan: SandboxPlan;
      before(() => {
        plan = { ...stage.plan({ kind: 'function', network: 'none' }), cgroup: null };
      });
      judged(
        'function',
        'none',
        () => plan,
        lazily(() => play(stage, plan, stage.world(plan, { network: 'none' }), [])),
      );
    });

    for (const network of ['full', 'none'] as const) {
      describe(`a program, network ${network}`, () => {
        let plan: SandboxPlan;
        before(() => {
          plan = { ...stage.plan({ kind: 'program', network }), cgroup: null };
        });
        const lines = lazily(async () => {
          const world = JSON.stringify(stage.world(plan, { network }));
          const program = launch(plan, {
            file: process.execPath,
            args: ['--disable-warning=ExperimentalWarning', join(SUPPORT, 'program-main.ts'), world],
            env: { PATH: '/usr/bin:/bin', TMPDIR: plan.tree.tmpFolder },
          });
          return await stage.spawned(program.file, program.args, program.env);
        });
        judged('program', network, () => plan, lines);
      });
    }
  });
}

/** A test for each attempt, against what it came to. */
function judged(
  kind: World['kind'],
  network: World['network'],
  plan: () => SandboxPlan,
  lines: () => Promise<Line[]>,
): void {
  for (const attempt of attemptsFor({ kind, network })) {
    test(attempt.name, async (t) => {
      const missing = attempt.needs === undefined ? null : missingIn(plan(), attempt.needs);
      if (missing !== null) return t.skip(missing);
      const outcome = outcomeIn(await lines(), attempt);
      assert.ok(
        attempt.refused.includes(outcome),
        `${outcome}, where it must be ${attempt.refused.join(' or ')}`,
      );
    });
  }
}

async function play(stage: Stage, plan: SandboxPlan, world: World, bombs: Scene['bombs']): Promise<Line[]> {
  const allowed = bombs.filter((bomb) => bomb !== 'memoryBomb' || missingIn(plan, 'memory') === null);
  const scene: Scene = {
    plan,
    other: { ...stage.otherPlan(), cgroup: null },
    world,
    bombs: allowed,
    scratch: stage.path('scratch'),
  };
  const main = join(SUPPORT, 'scene-main.ts');
  return await stage.run([join(SUPPORT, 'forkable-main.ts'), main, JSON.stringify(scene)]);
}

/** Why the plan is without `layer`; null where it has it. */
function missingIn(plan: SandboxPlan, layer: LayerName): string | null {
  const found = plan.layers.find(({ name }) => name === layer);
  return found === undefined || found.state === 'on' ? null : `${layer}: ${found.reason}`;
}

function outcomeIn(lines: readonly Line[], attempt: Attempt): string {
  const line = lines.find(({ name }) => name === attempt.name);
  assert.ok(line?.outcome !== undefined, `nothing was told of it: ${JSON.stringify(lines.at(-1))}`);
  return line.outcome;
}

function eventIn(lines: readonly Line[], event: string): Line {
  const line = lines.find((candidate) => candidate.event === event);
  assert.ok(
    line,
    `no ${event} was told: ${JSON.stringify(lines.filter(({ error }) => error !== undefined))}`,
  );
  return line;
}

function lazily(make: () => Promise<Line[]>): () => Promise<Line[]> {
  let made: Promise<Line[]> | null = null;
  return () => (made ??= make());
}

function mountCount(): number {
  return machine.platform === 'linux' ? readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length : 0;
}
