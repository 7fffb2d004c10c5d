/**
 * What a component stores in is swapped for a link after its sandbox was planned, as an earlier release's instance could do that still works
 * in a folder around it. The next start must not follow, with mounts or by Landlock's list alone.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { launch } from '../../src/runtime/sandbox/launch.ts';
import type { Machine } from '../../src/runtime/sandbox/machine.ts';
import { canBeOwned, mappedNamespace } from '../../src/runtime/sandbox/owned-files.ts';
import { planSandbox, type SandboxPlan } from '../../src/runtime/sandbox/plan.ts';
import { probeMachine } from '../../src/runtime/sandbox/probe.ts';
import { giveStorage } from '../../src/runtime/sandbox/storage.ts';

const UID = 1_900_000_006;
const machine = await probeMachine();
const noSandbox =
  machine.platform === 'linux' && machine.ffi ? false : 'there are no sandboxes on this machine';
const notRoot = noSandbox || (machine.capabilities.administrate ? false : 'only root can have these');
const ordinary: Machine = { ...machine, capabilities: { administrate: false, changeUser: false } };

class Place {
  readonly folder: string;

  constructor(t: TestContext) {
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'fulcrum-swapped-')));
    t.after(() => rmSync(this.folder, { recursive: true }));
    chmodSync(this.folder, 0o755);
    for (const name of ['root', 'tmp', 'work', 'closed', 'data/x/deep'])
      mkdirSync(this.path(name), { recursive: true });
    chmodSync(this.path('closed'), 0o700);
    writeFileSync(this.path('closed/secret'), 'sesame', { mode: 0o600 });
    mkdirSync(this.path('closed/deep'));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  plan(on: Machine, stored: string, namespace: number | null, uid: number | null): SandboxPlan {
    const plan = planSandbox(on, {
      component: 'mallory',
      kind: 'program',
      network: 'full',
      uid,
      readable: [dirname(process.execPath), this.path('work')],
      writable: [stored],
      ...(namespace !== null && {
        owned: [{ namespace: `/proc/${process.pid}/fd/${namespace}`, paths: [stored] }],
      }),
      sockets: [],
      hidden: [],
      mountPoint: this.path('root'),
      tmpFolder: this.path('tmp'),
      tmpBytes: 1024 * 1024,
      openFiles: 256,
      processes: 64,
      memoryBytes: null,
      cpuWeight: 100,
      cgroupName: 'fulcrum-swapped-test',
    });
    return { ...plan, cgroup: null };
  }

  run(plan: SandboxPlan, stored: string): { said: string; errors: string } {
    const script = `cat ${stored}/secret ${stored}/../secret; echo x > ${stored}/written && echo wrote`;
    const program = launch(plan, { file: 'sh', args: ['-c', script], env: { PATH: '/usr/bin:/bin' } });
    const { stdout, stderr } = spawnSync(program.file, program.args, {
      env: program.env,
      cwd: this.path('work'),
      encoding: 'utf8',
    });
    return { said: stdout, errors: stderr };
  }

  swap(): void {
    renameSync(this.path('data/x'), this.path('data/aside'));
    symlinkSync(this.path('closed'), this.path('data/x'));
  }
}

const ways = [
  { name: 'mounted with mapped ids', skip: notRoot, on: machine, uid: UID, mapped: true },
  { name: 'mounted as it is', skip: notRoot, on: machine, uid: null, mapped: false },
  { name: 'by a list alone', skip: noSandbox, on: ordinary, uid: null, mapped: false },
] as const;

for (const { name, skip, on, uid, mapped } of ways) {
  for (const inner of ['data/x', 'data/x/deep']) {
    test(`${name}: ${inner}, swapped for a link, is not followed`, { skip }, async (t) => {
      const place = new Place(t);
      const namespace = mapped ? await mappedNamespace({ uid: 0, gid: 0 }, UID) : null;
      if (namespace !== null) t.after(() => closeSync(namespace));
      const stored = place.path(inner);
      if (namespace !== null && !(await canBeOwned(stored, namespace)))
        return t.skip('the temporary folder is on a file system that maps no ids');
      const plan = place.plan(on, stored, namespace, uid);
      const before = place.run(plan, stored);
      assert.match(before.said, /wrote/, `it works where nothing was swapped: ${before.errors}`);
      place.swap();
      const { said, errors } = place.run(plan, stored);
      assert.equal(said, '');
      assert.match(errors, /could not be entered \((?:files|landlock)\): .*leads elsewhere by a link/);
      assert.ok(!errors.includes(place.path('closed')), 'where it leads is not told');
      assert.ok(!existsSync(place.path('closed/written')) && !existsSync(place.path('closed/deep/written')));
      assert.equal(readFileSync(place.path('closed/secret'), 'utf8'), 'sesame');
    });
  }
}

test('what is stored is not given away over a link either', { skip: notRoot }, async (t) => {
  const place = new Place(t);
  place.swap();
  await giveStorage([place.path('data/x'), place.path('data/x/deep')], UID);
  const owners = ['closed', 'closed/secret', 'closed/deep'].map((name) =>
    spawnSync('stat', ['-c', '%u', place.path(name)], { encoding: 'utf8' }).stdout.trim(),
  );
  assert.deepEqual(owners, ['0', '0', '0']);
});
