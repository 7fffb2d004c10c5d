import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import type { Instance } from '../../../src/model/instance.ts';
import { call, isAlive, json, type Bench } from '../runtime/bench.ts';
import { ended, openForks, told } from './scene.ts';

/** What a fork copies that must differ, and what it leaves out that must work: for each, what two siblings see. */
describe('hazards of a fork', { timeout: 120_000 }, () => {
  let bench: Bench;
  let one: Instance;
  let other: Instance;
  let close = async (): Promise<void> => {};
  const sibling = (): Promise<Instance> => bench.start('fork', { revision: one.revision });

  before(async () => {
    bench = await openForks({ after: (work) => void (close = work) });
    one = await bench.start('fork', {}, { FORK_TEST: 'from the config' });
    other = await sibling();
  });
  after(() => close());

  interface Identity {
    readonly pid: number;
    readonly kernelPid: number;
    readonly ppid: number;
    readonly loadedPid: number;
    readonly ageMs: number;
    readonly uptimeMs: number;
    readonly originMs: number;
    readonly nowMs: number;
    readonly clocksDifferMs: number;
    readonly markMs: number;
    readonly measuredMs: number;
  }

  test('process ids are the instance’s own, and both come from one process that loaded the module', async () => {
    const [a, b] = [await told<Identity>(one, 'identity'), await told<Identity>(other, 'identity')];
    assert.deepEqual([one.engine, other.engine], ['fork', 'fork']);
    assert.deepEqual([a.pid, b.pid], [one.pid, other.pid]);
    assert.deepEqual([a.kernelPid, b.kernelPid], [one.pid, other.pid]);
    assert.deepEqual([a.ppid, a.loadedPid], [b.ppid, b.loadedPid]);
    assert.equal(a.loadedPid, a.ppid);
  });

  test('clocks count from the instance’s own beginning, and agree with each other', async () => {
    const first = await told<Identity>(one, 'identity');
    const young = await sibling();
    const second = await told<Identity>(young, 'identity');
    assert.ok(second.originMs > first.originMs);
    for (const { ageMs, uptimeMs, clocksDifferMs, markMs, measuredMs, nowMs, originMs } of [first, second]) {
      assert.ok(ageMs > 0 && ageMs <= nowMs - originMs + 50, `${ageMs} ms old`);
      assert.ok(Math.abs(uptimeMs - ageMs) < 50, `up for ${uptimeMs} ms, ${ageMs} ms old`);
      assert.ok(Math.abs(clocksDifferMs) < 50, `${clocksDifferMs} ms apart`);
      assert.ok(markMs >= ageMs && measuredMs >= markMs && measuredMs < ageMs + 1_000);
    }
  });

  test('what one instance changes no other sees', async () => {
    assert.deepEqual(
      [await told(one, 'count'), await told(one, 'count'), await told(other, 'count')],
      [1, 2, 1],
    );
    await told(one, 'setVariable', 'changed');
    assert.deepEqual(
      [await told(one, 'variable'), await told(other, 'variable')],
      ['changed', 'from the config'],
    );
    assert.equal(await told(await sibling(), 'variable'), 'from the config');
  });

  test('an instance has its own descriptors and none of its zygote’s or its siblings’', async () => {
    await sibling();
    const [a, b] = await Promise.all(
      [one, await sibling()].map((instance) => told<[number, string][]>(instance, 'descriptors')),
    );
    const sockets = (list: [number, string][]): string[] =>
      list.map(([, target]) => target).filter((target) => target.startsWith('socket:'));
    assert.deepEqual([sockets(a!).length, sockets(b!).length], [1, 1], 'the wire');
    assert.notDeepEqual(sockets(a!), sockets(b!));
    const output = (list: [number, string][]): string[] =>
      list.filter(([fd]) => fd === 1 || fd === 2).map(([, target]) => target);
    assert.equal(new Set([...output(a!), ...output(b!)]).size, 4, 'a pipe each for stdout and stderr');
    const pidfds = [...a!, ...b!].filter(([, target]) => target.includes('pidfd'));
    assert.deepEqual(pidfds, []);
  });

  test('programs, and what they inherit', async () => {
    const [listed, sync] = await told<[string, string]>(one, 'programs');
    assert.equal(sync, 'sync\n');
    assert.match(listed, /^async\n0 1 2 \d+ $/);
  });

  test('timers, pool, AsyncLocalStorage, servers, threads, WebAssembly and late imports work', async () => {
    assert.ok((await told<number>(one, 'timer', 30)) >= 29);
    assert.deepEqual(await told(one, 'pool'), [16, 32, 'zipped', true]);
    assert.deepEqual(await Promise.all(['a', 'b'].map((value) => told(one, 'storage', value))), ['a', 'b']);
    assert.equal(await told(one, 'server'), true);
    // A collection posts tasks to V8's threads, for which a thread waits at its end.
    await told(one, 'collect', 3);
    const [[pid, first], [, second]] = await told<[[number, number], [number, number]]>(one, 'worker');
    assert.equal(pid, one.pid);
    assert.notEqual(first, second);
    assert.equal(await told(one, 'wasm'), 5);
    assert.equal(await told(one, 'imported'), 'late');
  });

  test('garbage is collected, again and again', async () => {
    assert.equal(
      await told(one, 'collect', process.env['FULCRUM_FULL'] ? 100 : 15),
      99_999 * (process.env['FULCRUM_FULL'] ? 100 : 15),
    );
    const usage = await one.measure();
    assert.ok(usage!.memoryBytes < 256 * 1024 * 1024, `${usage!.memoryBytes} bytes`);
  });

  test('a signal handler of the module hears in each instance', async () => {
    const heard = bench.log.until(new RegExp(`signal heard by ${other.pid}`));
    process.kill(other.pid, 'SIGUSR2');
    assert.equal((await heard).instance, other.id);
  });

  test('ways to end: each with its code, and soon', async () => {
    const cases: [string, unknown[], number][] = [
      ['exitLater', [5], 5],
      ['exitCode', [4], 4],
      ['throwTwice', [], 7],
    ];
    for (const [name, args, code] of cases) {
      const instance = await sibling();
      void call(instance, name, json(args));
      const { exitCode, signal, cpuMs } = await instance.ended;
      assert.deepEqual([name, exitCode, signal], [name, code, null]);
      // What its zygote was told when it waited for it: its beginning and its end alone take some.
      assert.ok(cpuMs! > 0 && cpuMs! < 10_000, `${name}: ${cpuMs} ms of CPU time`);
    }
    await bench.log.until(/exit listener got 4/);
  });

  test('what an instance has begun in a session of its own does not outlive it', async () => {
    const instance = await sibling();
    const pid = await told<number>(instance, 'detached');
    assert.ok(isAlive(pid));
    await ended(instance);
    while (isAlive(pid)) await turn();
  });

  test('an instance that is told to end as it begins ends by itself', async () => {
    for (let round = 0; round < 30; round++) {
      const instance = await sibling();
      void instance.stop(5_000, 'told by the test');
      const { exitCode, signal } = await instance.ended;
      assert.deepEqual([exitCode, signal], [0, null]);
    }
  });

  test('new contexts draw numbers of their own', async () => {
    const drawn = await Promise.all([told(await sibling(), 'vmDraw'), told(await sibling(), 'vmDraw')]);
    assert.notEqual(drawn[0], drawn[1]);
  });

  test('what a module draws while it is loaded is told, with its place', async () => {
    await ended(await bench.start('fork-draws'));
    for (const what of [
      /crypto\.randomUUID \(.*fork-draws\.mjs:3:13\)/,
      /Math\.random \(.*fork-draws\.mjs:4:20\)/,
      /crypto\.randomFillSync \(.*fork-draws\.mjs:5:1\)/,
    ]) {
      const line = await bench.log.until(what);
      assert.deepEqual([line.stream, line.level], ['platform', 'warn']);
    }
  });

  test('a pool that a library fills while the module is loaded is told; one that it fills later is each instance’s own', async () => {
    const [early, late] = [await bench.start('fork-pool'), await bench.start('fork-pool-late')];
    const idsOf = async (first: Instance): Promise<unknown[]> => [
      await told(first, 'ids'),
      await told(await bench.start('', { revision: first.revision }), 'ids'),
    ];
    const line = await bench.log.until(/crypto\.randomFillSync \(.*fork-pool-library\.mjs:10:5\)/);
    assert.deepEqual([line.stream, line.level, line.component], ['platform', 'warn', 'shop']);
    // What the warning is for: no engine can know of memory in which a library keeps what it drew.
    const [one, other] = await idsOf(early);
    assert.deepEqual(one, other);
    const [a, b] = await idsOf(late);
    assert.notDeepEqual(a, b);
    const tellings = bench.log.entries.filter(({ text }) => text.includes('fork-pool-library'));
    assert.equal(tellings.length, 1);
  });

  test('a module that holds what cannot be forked runs on the plain engine, and the log says why and where', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const cases: [string, RegExp][] = [
      ['timer', /a timer \(.*fork-holds-timer\.mjs:2:1\)/],
      ['quiet-timer', /a timer \(.*fork-holds-quiet-timer\.mjs:2:1\)/],
      ['server', /a server \(.*fork-holds-server\.mjs:2:/],
      ['socket', /a socket \(.*fork-holds-socket\.mjs:2:/],
      ['watcher', /a file watcher \(.*fork-holds-watcher\.mjs:2:/],
      ['worker', /a (worker )?thread.* \(.*fork-holds-worker\.mjs:2:/],
      ['file', /an open file \(.*fork-holds-file\.mjs\)/],
      ['program', /a child process \(.*fork-holds-program\.mjs:2:/],
    ];
    for (const [held, reason] of cases) {
      const said = bench.log.until(new RegExp(`Runs on the spawn engine.*${reason.source}`));
      const instance = await bench.start(`fork-holds-${held}`, {}, { PORT: String(port) });
      assert.equal(instance.engine, 'spawn', held);
      const line = await said;
      assert.deepEqual([line.stream, line.component], ['platform', 'shop']);
      await ended(instance);
      // Known from now on: no zygote is tried again.
      assert.equal(
        (await bench.start(`fork-holds-${held}`, { revision: instance.revision }, {})).engine,
        'spawn',
      );
    }
  });

  test('a zygote that dies takes its instances along, and the next start has a new one', async () => {
    const doomed = await bench.start('fork', {}, { OWN: 'zygote' });
    const { ppid } = await told<Identity>(doomed, 'identity');
    const busy = call(doomed, 'timer', json([60_000]));
    process.kill(ppid, 'SIGKILL');
    assert.equal((await busy).outcome, 'crashed');
    assert.equal((await doomed.ended).signal, 'SIGKILL');
    assert.equal(isAlive(doomed.pid), false);
    const next = await bench.start('fork', { revision: doomed.revision });
    assert.notEqual((await told<Identity>(next, 'identity')).ppid, ppid);
  });
});
