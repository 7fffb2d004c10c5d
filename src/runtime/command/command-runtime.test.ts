import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath, platform } from 'node:process';
import { test } from 'node:test';
import { FulcrumError } from '../../base/errors.ts';
import { ask, fixture, isAlive, testRuntime } from './testing/program.ts';

async function failureOf(starting: Promise<unknown>): Promise<FulcrumError> {
  try {
    await starting;
  } catch (error) {
    assert.ok(error instanceof FulcrumError, String(error));
    return error;
  }
  assert.fail('it started');
}

test('a program gets its port, its folder and its own environment, and no other', async (t) => {
  const cwd = await realpath(await mkdtemp(join(tmpdir(), 'fulcrum-command-')));
  t.after(() => rm(cwd, { recursive: true }));
  process.env['FULCRUM_TEST_LEAK'] = 'secret';
  t.after(() => delete process.env['FULCRUM_TEST_LEAK']);
  const { start, log } = testRuntime(t);
  const instance = await start(fixture('express.mjs'), { cwd, env: { A: '1', PORT: '1' } });
  const { text } = await ask(instance, '/env');
  const { env, cwd: found } = JSON.parse(text) as { env: Record<string, string>; cwd: string };
  assert.equal(found, cwd);
  // What shells set by themselves.
  for (const name of ['PWD', 'OLDPWD', 'SHLVL', '_']) delete env[name];
  assert.deepEqual(Object.keys(env).sort(), ['A', 'HOST', 'PATH', 'PORT']);
  assert.equal(env['HOST'], '127.0.0.1');
  assert.notEqual(env['PORT'], '1');
  assert.deepEqual(
    [instance.engine, instance.state, instance.handlersOf('legacy'), instance.inspectUrl],
    ['command', 'ready', null, null],
  );
  const line = await log.line(/^express is up$/);
  assert.deepEqual(
    [line.component, line.stream, line.level, line.instance, line.revision],
    ['legacy', 'stdout', 'info', instance.id, '0123456789ab'],
  );
});

test('the program itself is the process, not a shell around it', async (t) => {
  const { start } = testRuntime(t);
  const instance = await start(fixture('express.mjs'));
  assert.match(
    execFileSync('ps', ['-o', 'args=', '-p', String(instance.pid)], { encoding: 'utf8' }),
    /express\.mjs/,
  );
  assert.doesNotMatch(
    execFileSync('ps', ['-o', 'comm=', '-p', String(instance.pid)], { encoding: 'utf8' }),
    /sh$/m,
  );
});

test('is ready when the program listens, however late', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-command-'));
  t.after(() => rm(folder, { recursive: true }));
  const gate = join(folder, 'gate');
  const { start, log } = testRuntime(t);
  const starting = start(fixture('slow-start.mjs'), { env: { GATE: gate } });
  let ready = false;
  const marked = starting.then(() => (ready = true));
  await log.line(/^warming up$/);
  assert.equal(ready, false);
  await writeFile(gate, '');
  assert.equal((await ask(await starting, '/')).text, 'warm');
  await marked;
});

test('a program on IPv6 only is found', async (t) => {
  const probe = createServer();
  const available = await new Promise<boolean>((resolve) => {
    probe.once('error', () => resolve(false));
    probe.listen(0, '::1', () => probe.close(() => resolve(true)));
  });
  if (!available) return t.skip('no IPv6 on this machine');
  const { start } = testRuntime(t);
  const instance = await start(fixture('ipv6-only.mjs'));
  assert.equal((await ask(instance, '/')).text, 'six');
  assert.deepEqual(await instance.healthy(1_000), { healthy: true });
});

test("Python's own server, by a shell line that knows $PORT", async (t) => {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' });
  } catch {
    return t.skip('no python3 on this machine');
  }
  const cwd = await mkdtemp(join(tmpdir(), 'fulcrum-command-'));
  t.after(() => rm(cwd, { recursive: true }));
  await writeFile(join(cwd, 'hello.txt'), 'hello from a file\n');
  const { start } = testRuntime(t);
  const instance = await start('echo starting && python3 -m http.server "$PORT" --bind "$HOST"', { cwd });
  const answer = await ask(instance, '/hello.txt');
  assert.deepEqual([answer.status, answer.text, answer.end_?.outcome], [200, 'hello from a file\n', 'ok']);
});

test('a program that ends first: its exit code, its port and its last output', async (t) => {
  const { start } = testRuntime(t);
  const error = await failureOf(start('echo "no database" >&2; exit 1'));
  assert.equal(error.code, 'start-failed');
  const port = error.details['port'];
  assert.equal(
    error.message,
    `The component "legacy" ended with exit code 1 before it listened on $PORT (${String(port)}).`,
  );
  assert.deepEqual([error.details['exitCode'], error.details['output']], [1, 'no database']);
  assert.match(
    (await failureOf(start('no-such-program --at all'))).message,
    /exit code 127 .* did not find the program/,
  );
  assert.match((await failureOf(start('kill -9 $$'))).message, /signal SIGKILL/);
  assert.match(
    (await failureOf(start('true', { cwd: '/no/such/folder' }))).message,
    /no folder \/no\/such\/folder/,
  );
});

test('a program that never listens, or listens elsewhere', async (t) => {
  const { start, log } = testRuntime(t, { startLimitMs: 2_500 });
  const [silent, elsewhere] = await Promise.all([
    failureOf(start(fixture('never-listens.mjs'))),
    failureOf(start(fixture('wrong-port.mjs'))),
  ]);
  assert.match(silent.message, /did not listen on \$PORT \(\d+\) within 2\.5s/);
  assert.equal(silent.details['output'], 'I have better things to do');
  if (platform === 'linux') {
    const port = /\d+/.exec((await log.line(/^listening on/)).text)![0];
    assert.ok(
      elsewhere.message.includes(`listens on ${port}, not on $PORT (${String(elsewhere.details['port'])})`),
      elsewhere.message,
    );
    const notice = await log.line(/still waiting/);
    assert.deepEqual([notice.stream, notice.level], ['platform', 'warn']);
  }
});

test('a start that is given up leaves no process', async (t) => {
  const { start, log } = testRuntime(t);
  const abort = new AbortController();
  const starting = failureOf(start(`echo $$; ${fixture('never-listens.mjs')}`, { signal: abort.signal }));
  const pid = Number((await log.line(/^\d+$/)).text);
  await log.line(/better things/);
  const reason = new FulcrumError('shutting-down', 'enough');
  abort.abort(reason);
  assert.equal(await starting, reason);
  assert.equal(isAlive(pid), false);
  assert.equal(await failureOf(start('sleep 100', { signal: abort.signal })), reason);
});

test('starts at the same time get ports of their own', async (t) => {
  const { start } = testRuntime(t);
  const script = 'require("http").createServer((q,r)=>r.end(process.env.PORT)).listen(process.env.PORT)';
  const instances = await Promise.all(Array.from({ length: 6 }, () => start(`"${execPath}" -e '${script}'`)));
  const ports = await Promise.all(instances.map(async (instance) => (await ask(instance, '/')).text));
  assert.equal(new Set(ports).size, 6);
});

test(
  'a port that somebody else takes first is changed for another',
  { skip: platform !== 'linux' },
  async (t) => {
    const { start, log } = testRuntime(t);
    // The first time, the program's port goes to a stranger that outlives it, in a session of its own, and that answers
    // while the program still starts.
    const folder = await mkdtemp(join(tmpdir(), 'fulcrum-command-'));
    t.after(() => rm(folder, { recursive: true }));
    const script = `
    const { spawn } = require('child_process'), { existsSync, writeFileSync } = require('fs'), http = require('http');
    const serve = "let n = 0; require('net').createServer(() => ++n === 2 && console.log('met')).listen(process.env.PORT, '127.0.0.1')";
    if (existsSync('taken')) http.createServer((q, r) => r.end('mine')).listen(process.env.PORT, '127.0.0.1');
    else {
      writeFileSync('taken', '');
      const stranger = spawn(process.execPath, ['-e', serve], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
      console.log('stranger ' + stranger.pid);
      stranger.stdout.once('data', () => http.createServer().listen(process.env.PORT, '127.0.0.1'));
    }`;
    await writeFile(join(folder, 'program.cjs'), script);
    const instance = await start(`"${execPath}" program.cjs`, { cwd: folder });
    const stranger = Number(/\d+/.exec((await log.line(/^stranger/)).text)![0]);
    process.kill(stranger);
    assert.equal((await ask(instance, '/')).text, 'mine');
  },
);

test('close() ends everything, starts under way too', async (t) => {
  const { start, runtime, log } = testRuntime(t);
  const instance = await start(fixture('express.mjs'));
  const starting = failureOf(start(`echo $$; ${fixture('never-listens.mjs')}`));
  const pid = Number((await log.line(/^\d+$/)).text);
  await runtime.close();
  assert.equal((await starting).code, 'start-failed');
  assert.deepEqual([isAlive(pid), isAlive(instance.pid), instance.state], [false, false, 'ended']);
  assert.equal((await failureOf(start('sleep 100'))).code, 'shutting-down');
});
