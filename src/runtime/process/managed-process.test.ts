import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, chmod, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { FulcrumError } from '../../base/errors.ts';
import { ManagedProcess, type ProcessOptions } from './managed-process.ts';

interface Started {
  child: ManagedProcess;
  lines: string[];
  /** Resolves with the first line that `wanted` accepts. */
  line(wanted: (line: string) => boolean): Promise<string>;
}

async function start(t: TestContext, script: string, more: Partial<ProcessOptions> = {}): Promise<Started> {
  const lines: string[] = [];
  const waiters = new Set<() => void>();
  const child = await ManagedProcess.start({
    file: process.execPath,
    args: ['-e', script],
    shell: false,
    cwd: tmpdir(),
    env: {},
    stdin: null,
    onLine: (stream, line) => {
      lines.push(`${stream}: ${line}`);
      for (const waiter of waiters) waiter();
    },
    clock: systemClock,
    ...more,
  });
  t.after(() => {
    child.kill();
    return child.ended;
  });
  const line = (wanted: (line: string) => boolean): Promise<string> =>
    new Promise((resolve) => {
      let looked = 0;
      const look = (): void => {
        for (; looked < lines.length; looked++) {
          if (!wanted(lines[looked]!)) continue;
          waiters.delete(look);
          resolve(lines[looked]!);
          return;
        }
      };
      waiters.add(look);
      look();
    });
  return { child, lines, line };
}

test('output arrives as lines, the last one without a newline too, and stays readable at the end', async (t) => {
  const { child, lines } = await start(
    t,
    `console.log('one\\ntwo'); console.error('uh'); process.stdout.write('three')`,
  );
  assert.deepEqual(await child.ended, { exitCode: 0, signal: null });
  assert.deepEqual(
    lines.filter((line) => line.startsWith('stdout')),
    ['stdout: one', 'stdout: two', 'stdout: three'],
  );
  assert.ok(lines.includes('stderr: uh'));
  assert.match(child.lastOutput(), /three/);
  assert.equal(child.hasEnded, true);
});

test('the process gets exactly the environment and the input that it was given', async (t) => {
  const script = `process.stdin.on('data', (d) => console.log(JSON.stringify({ env: process.env, input: String(d) })))`;
  const { child, lines } = await start(t, script, { env: { ONLY: 'this' }, stdin: 'a secret' });
  await child.ended;
  assert.equal(lines[0], `stdout: ${JSON.stringify({ env: { ONLY: 'this' }, input: 'a secret' })}`);
});

test('a program that does not exist, may not be run, or has no folder is a failed start', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-process-'));
  t.after(() => rm(folder, { recursive: true }));
  const plain = join(folder, 'plain');
  await writeFile(plain, 'no program');
  await chmod(plain, 0o600);
  const failed = (error: unknown): boolean => error instanceof FulcrumError && error.code === 'start-failed';
  await assert.rejects(start(t, '', { file: join(folder, 'missing') }), failed);
  await assert.rejects(start(t, '', { file: plain }), failed);
  await assert.rejects(start(t, '', { cwd: join(folder, 'missing') }), failed);
  await assert.rejects(start(t, '', { args: ['a\0b'] }), failed);
});

test('stop sends SIGTERM, and SIGKILL to a process that does not heed it', async (t) => {
  const kind = await start(
    t,
    `process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1e6); console.log('up')`,
  );
  await kind.line((line) => line.endsWith('up'));
  await kind.child.stop(60_000);
  assert.deepEqual(await kind.child.ended, { exitCode: 7, signal: null });

  const stubborn = await start(
    t,
    `process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6); console.log('up')`,
  );
  await stubborn.line((line) => line.endsWith('up'));
  await stubborn.child.stop(20);
  assert.deepEqual(await stubborn.child.ended, { exitCode: null, signal: 'SIGKILL' });
  stubborn.child.signal('SIGTERM');
});

test('what a process has started dies with it, killed or ended by itself', async (t) => {
  // The grandchild holds a connection for as long as it lives; the connection's end is what is waited for.
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const grandchild = `require('net').connect(${port}, '127.0.0.1'); process.on('SIGTERM', () => {})`;
  for (const end of ['killed', 'by itself'] as const) {
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const { child } = await start(
      t,
      `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}], { stdio: 'inherit' });
       process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1e6)`,
    );
    const [socket] = await connected;
    socket.on('error', () => undefined).resume();
    const closed = once(socket, 'close');
    if (end === 'killed') child.kill();
    else process.kill(child.pid, 'SIGTERM');
    await Promise.all([child.ended, closed]);
  }
});

test('what was started dies with the server, however that ends: by process.exit or by an error nobody caught', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const program = `require('net').connect(${port}, '127.0.0.1'); process.on('SIGTERM', () => {})`;
  const fixture = join(import.meta.dirname, 'fixtures', 'starts-programs.ts');
  for (const [how, code] of [
    ['exit', 130],
    ['throw', 1],
  ] as const) {
    const sockets: Socket[] = [];
    const connected = new Promise<void>((resolve) => {
      server.on('connection', function take(socket: Socket) {
        sockets.push(socket);
        if (sockets.length < 2) return;
        server.off('connection', take);
        resolve();
      });
    });
    const host = spawn(process.execPath, [fixture, how, program], { stdio: ['pipe', 'ignore', 'ignore'] });
    t.after(() => host.kill('SIGKILL'));
    await connected;
    const closed = sockets.map((socket) => {
      socket.on('error', () => undefined).resume();
      t.after(() => socket.destroy());
      return once(socket, 'close');
    });
    const exited = once(host, 'exit');
    host.stdin.end('now');
    assert.equal((await exited)[0], code);
    await Promise.all(closed);
  }
});

test('nothing of the server is kept once all have ended', async (t) => {
  const before = process.listenerCount('exit');
  const one = await start(t, 'setInterval(() => {}, 1e6)');
  const two = await start(t, 'setInterval(() => {}, 1e6)');
  assert.equal(process.listenerCount('exit'), before + 1, 'one hook for all');
  one.child.kill();
  await one.child.ended;
  assert.equal(process.listenerCount('exit'), before + 1);
  two.child.kill();
  await two.child.ended;
  assert.equal(process.listenerCount('exit'), before);
});

test('a flood of output is cut, counted and told, and the server goes on', async (t) => {
  const { child, lines, line } = await start(
    t,
    `const b = Buffer.alloc(65536, 'x'.repeat(99) + '\\n'); const w = () => { while (process.stdout.write(b)); process.stdout.once('drain', w); }; w();`,
  );
  await line((text) => text.includes('output dropped'));
  child.kill();
  await child.ended;
  const kept = lines.reduce((sum, text) => sum + text.length, 0);
  assert.ok(kept < 32 * 1024 * 1024, `kept ${kept} bytes`);
  assert.ok(child.lastOutput().length <= 8 * 1024);
});

test('a line without an end is cut at 16 KB', async (t) => {
  const { child, lines } = await start(t, `process.stdout.write('y'.repeat(1_000_000) + '\\nnext\\n')`);
  await child.ended;
  assert.equal(lines.length, 2);
  assert.match(lines[0]!, /^stdout: y{16384} … \(983616 bytes cut\)$/);
  assert.equal(lines[1], 'stdout: next');
});

test('memory and time are measured, those of a shell’s program among them', async (t) => {
  const script = `const held = Buffer.alloc(64 * 1024 * 1024, 1); const end = process.cpuUsage().user + 60_000;
    while (process.cpuUsage().user < end); console.log('up', process.pid); setInterval(() => held.length, 1e6)`;
  const file = `"${process.execPath}" -e "${script.replaceAll('\n', ' ')}"; true`;
  const { child, line } = await start(t, '', { file, args: [], shell: true });
  const up = await line((text) => text.includes('up'));
  assert.notEqual(up, `stdout: up ${child.pid}`);
  const usage = await child.measure();
  assert.ok(usage!.memoryBytes > 64 * 1024 * 1024, String(usage!.memoryBytes));
  assert.ok(usage!.memoryBytes < 256 * 1024 * 1024, String(usage!.memoryBytes));
  assert.ok(usage!.cpuMs >= 50, String(usage!.cpuMs));
  child.kill();
  await child.ended;
  assert.equal(await child.measure(), null);
});

test('secrets given by stdin are in nobody’s argument list or environment', async (t) => {
  if (process.platform !== 'linux') return t.skip('reads /proc');
  const { child, line } = await start(
    t,
    `process.stdin.on('data', () => console.log('up')); setInterval(() => {}, 1e6)`,
    {
      stdin: 'hidden\n',
    },
  );
  await line((text) => text.includes('up'));
  for (const name of ['cmdline', 'environ']) {
    assert.ok(!(await readFile(`/proc/${child.pid}/${name}`, 'utf8')).includes('hidden\n'));
  }
});
