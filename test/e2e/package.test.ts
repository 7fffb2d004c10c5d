import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { isolatedEnv } from './support/fulcrum-process.ts';

const ROOT = join(import.meta.dirname, '../..');
const run = promisify(execFile);

test('the package installs in an empty folder, writes a new app, and that runs and passes its own test', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-package-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const env = isolatedEnv();

  // A copy, for packing builds dist/, and a checkout that runs meanwhile must not see it come and go.
  const source = join(folder, 'source');
  await mkdir(source);
  const listed = await run('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
  for (const file of listed.stdout.split('\n').filter(Boolean)) {
    await cp(join(ROOT, file), join(source, file)).catch((error: NodeJS.ErrnoException) =>
      assert.equal(error.code, 'ENOENT'),
    );
  }
  await run('ln', ['-s', join(ROOT, 'node_modules'), join(source, 'node_modules')]);
  await run(process.execPath, [join(source, 'scripts/build.mjs')], { cwd: source, env });
  const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: source,
    env,
  });
  const [{ filename, files }] = JSON.parse(packed.stdout) as [
    { filename: string; files: { path: string }[] },
  ];
  const paths = files.map((file) => file.path);
  assert.deepEqual(
    paths.filter(
      (path) => !path.startsWith('templates/') && /\.test\.|fixtures|^src\/|\.env|^examples/.test(path),
    ),
    [],
  );
  assert.ok(paths.includes('dist/sdk/index.d.ts') && paths.includes('dist/cli/main.js'));
  const lint = await run(
    join(ROOT, 'node_modules/.bin/publint'),
    ['run', join(folder, filename), '--strict'],
    { env },
  );
  assert.match(lint.stdout, /All good/);

  const host = join(folder, 'host');
  await mkdir(host);
  await writeFile(join(host, 'package.json'), '{ "private": true }');
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', join(folder, filename)], {
    cwd: host,
    env,
  });
  const fulcrum = join(host, 'node_modules/.bin/fulcrum');
  await run(fulcrum, ['init', 'app'], { cwd: host, env });
  const app = join(host, 'app');
  assert.doesNotMatch(await readFile(join(app, 'package.json'), 'utf8'), /__/);

  await t.test('what it gives to components can be imported', async () => {
    const program = `import { events } from 'fulcrum'; import { outbox } from 'fulcrum/outbox'; console.log(typeof events.publish, typeof outbox.relay)`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], {
      cwd: host,
      env,
    });
    assert.equal(stdout.trim(), 'function function');
  });
  await t.test('its types are good', async () => {
    const tsc = join(ROOT, 'node_modules/.bin/tsc');
    await run(tsc, ['-p', '.', '--noEmit', '--typeRoots', join(ROOT, 'node_modules/@types')], { cwd: app });
  });
  await t.test('its own test passes', async () => {
    const { stdout } = await run(process.execPath, ['--test', '--test-reporter=tap'], { cwd: app, env });
    assert.match(stdout, /^# pass [1-9]/m);
    assert.match(stdout, /^# fail 0/m);
  });
  await t.test('it runs', async () => {
    const dev = spawn(fulcrum, ['dev', '--port', '0', '--admin-port', '0'], {
      cwd: app,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise((resolve) => dev.on('close', resolve));
    let output = '';
    const url = await new Promise<string>((resolve, reject) => {
      const look = (piece: Buffer): void => {
        output += piece.toString();
        const match = /http:\/\/(?:localhost|127\.0\.0\.1):\d+/.exec(output);
        if (match) resolve(match[0]);
      };
      dev.stdout.on('data', look);
      dev.stderr.on('data', look);
      void ended.then(() => reject(new Error(`it ended:\n${output}`)));
    });
    const answer = await fetch(url);
    assert.equal(answer.status, 200, output);
    dev.kill('SIGINT');
    await ended;
  });
});
