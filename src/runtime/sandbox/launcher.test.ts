import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { launch, type Program } from './launch.ts';
import { planSandbox, type SandboxPlan } from './plan.ts';
import { probeMachine } from './probe.ts';

const machine = await probeMachine();
const skip = machine.platform === 'linux' && machine.ffi ? false : 'there are no sandboxes on this machine';

interface Place {
  readonly folder: string;
  readonly plan: SandboxPlan;
}

function place(t: TestContext): Place {
  const folder = mkdtempSync(join(tmpdir(), 'fulcrum-launcher-'));
  t.after(() => rmSync(folder, { recursive: true }));
  for (const name of ['root', 'tmp', 'work']) mkdirSync(join(folder, name));
  const plan = planSandbox(machine, {
    component: 'legacy',
    kind: 'program',
    network: 'full',
    uid: 1_900_000_004,
    readable: [dirname(process.execPath), join(folder, 'work')],
    writable: [],
    sockets: [],
    hidden: [],
    mountPoint: join(folder, 'root'),
    tmpFolder: join(folder, 'tmp'),
    tmpBytes: 1024 * 1024,
    openFiles: 256,
    processes: 64,
    memoryBytes: null,
    cpuWeight: 100,
    cgroupName: 'fulcrum-launcher-test',
  });
  return { folder: join(folder, 'work'), plan: { ...plan, cgroup: null } };
}

function start(program: Program, folder: string): ChildProcess {
  return spawn(program.file, program.args, { cwd: folder, env: program.env, stdio: 'pipe' });
}

async function run(
  { folder, plan }: Place,
  program: Partial<Program>,
  input = '',
): Promise<{ code: number | null; signal: string | null; output: string; errors: string; pid: number }> {
  const env = { PATH: '/usr/bin:/bin' };
  const child = start(launch(plan, { file: 'sh', args: [], env, ...program }), folder);
  let output = '';
  let errors = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdin!.end(input);
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  return { code, signal, output, errors, pid: child.pid! };
}

test(
  'the program has the process id, the folder, the arguments and the standard streams',
  { skip },
  async (t) => {
    const here = place(t);
    const script = 'echo $$; pwd; echo "$0 $1"; cat; exit 7';
    const { code, output, errors, pid } = await run(here, { args: ['-c', script, 'a', 'b c'] }, 'from stdin');
    assert.deepEqual([code, output, errors], [7, `${pid}\n${here.folder}\na b c\nfrom stdin`, '']);
  },
);

test('a signal ends it as it ends any program', { skip }, async (t) => {
  const { code, signal } = await run(place(t), { args: ['-c', 'kill -TERM $$'] });
  assert.deepEqual([code, signal], [null, 'SIGTERM']);
});

test(
  "the program's environment is the program's alone: not even NODE_OPTIONS reaches the launcher",
  { skip },
  async (t) => {
    const env = { PATH: '/usr/bin:/bin', NODE_OPTIONS: '--require=/nowhere.js', LARGE: 'x'.repeat(100_000) };
    const { code, output } = await run(place(t), {
      args: ['-c', 'echo "$NODE_OPTIONS ${#LARGE}"; env'],
      env,
    });
    assert.equal(code, 0);
    assert.match(output, /^--require=\/nowhere\.js 100000\n/);
    assert.doesNotMatch(output, /FULCRUM_LAUNCH/);
  },
);

test('no descriptor of the server reaches it but the standard streams', { skip }, async (t) => {
  const { folder, plan } = place(t);
  const script = 'for n in 3 12 200; do readlink /proc/$$/fd/$n; done; echo end';
  const program = launch(plan, { file: 'bash', args: ['-c', script], env: { PATH: '/usr/bin:/bin' } });
  // Left open by whoever started the server. Node closes some on its own: low ones, up to the first gap.
  const plant = 'exec 3</etc/hostname 12</etc/hostname 200</etc/hostname; exec "$0" "$@"';
  const child = spawn('bash', ['-c', plant, program.file, ...program.args], {
    cwd: folder,
    env: program.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(child, 'close');
  assert.equal(output, 'end\n');
});

const key = '/etc/ssl/private';
const noKeys =
  skip || (process.getuid?.() === 0 && existsSync(key) ? false : 'there are no keys that root could read');

for (const tree of ['with', 'without'] as const) {
  test(
    `${tree} a tree of its own, root's component cannot read the machine's keys`,
    { skip: noKeys },
    async (t) => {
      const name = `fulcrum-test-${process.pid}-${tree}`;
      writeFileSync(join(key, name), 'secret', { mode: 0o600 });
      t.after(() => rmSync(join(key, name)));
      const { folder, plan } = place(t);
      const bare = { namespaces: [], mountPoint: null };
      const here = { folder, plan: { ...plan, uid: null, ...(tree === 'with' ? {} : bare) } };
      const script = `cat ${join(key, name)} || echo refused; test -r /etc/ssl/openssl.cnf && echo others`;
      const { output } = await run(here, { args: ['-c', script] });
      assert.equal(output, existsSync('/etc/ssl/openssl.cnf') ? 'refused\nothers\n' : 'refused\n');
    },
  );
}

test('a program that is not there is said, and is no start', { skip }, async (t) => {
  const { code, errors } = await run(place(t), { file: 'nowhere' });
  assert.equal(code, 126);
  assert.equal(errors, "There is no program nowhere in the sandbox's PATH (/usr/bin:/bin).\n");
});

test('a sandbox that cannot be entered is said by the layer', { skip }, async (t) => {
  const { folder, plan } = place(t);
  const broken = { ...plan, cgroup: { name: 'x', folders: { pids: { version: 1, path: '/nowhere' } } } };
  const { code, errors } = await run(
    { folder, plan: broken as unknown as SandboxPlan },
    { args: ['-c', 'true'] },
  );
  assert.equal(code, 126);
  assert.match(errors, /^The sandbox of a component could not be entered \(cgroup\): ENOENT/);
});

test('its parent’s end is its own, whatever it does about signals', { skip }, async (t) => {
  const { folder, plan } = place(t);
  // A parent that starts it, says its process id once it runs, and is then killed.
  const script = `
    import { spawn } from 'node:child_process';
    import { launch } from ${JSON.stringify(new URL('launch.ts', import.meta.url).href)};
    const program = launch(${JSON.stringify(plan)}, {
      file: '/bin/sh', args: ['-c', 'trap "" TERM HUP INT; echo up; cat'], env: { PATH: '/usr/bin:/bin' } });
    const child = spawn(program.file, program.args, { cwd: ${JSON.stringify(folder)}, env: program.env,
      stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    child.stdout.once('data', () => process.stdout.write(String(child.pid)));`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [text] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(text.toString());
  process.kill(pid, 0);
  const gone = once(parent, 'exit');
  parent.kill('SIGKILL');
  await gone;
  await until(() => !alive(pid));
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The kernel tells nobody but its parent, which is gone, when a process has ended. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
