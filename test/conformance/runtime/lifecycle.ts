import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { describe, test } from 'node:test';
import { FulcrumError } from '../../../src/base/errors.ts';
import { FakeClock } from '../../../src/base/fake-clock.ts';
import type { Instance } from '../../../src/model/instance.ts';
import { ask, Bench, call, isAlive, json, TestInvocation, valueOf, type CreateRuntime } from './bench.ts';

interface Hooks {
  readonly said: readonly string[];
  readonly id: string;
}

const MB = 1024 * 1024;

/** How instances begin and end. */
export function lifecycleConformance(create: CreateRuntime): void {
  describe('lifecycle', () => {
    test('a module that cannot be started is told with its reason and its last output, and leaves no process', async (t) => {
      const bench = await Bench.open(t, create);
      const cases: [string, RegExp, RegExp][] = [
        ['throws', /Error: cannot load/, /throws\.mjs:2[\s\S]*about to throw/],
        ['syntax-error', /SyntaxError/, /./],
        ['missing', /Cannot find module/, /./],
        ['exits', /exit code 5/, /leaving/],
        ['rejects', /left alone/, /rejects\.mjs/],
        ['exports-nothing', /exports nothing that could be run/, /./],
        ['bad-shape', /`fetch` of the module's default export is a string/, /./],
      ];
      await Promise.all(
        cases.map(async ([fixture, message, output]) => {
          const error = await failure(bench.start(fixture));
          assert.equal(error.code, 'start-failed', fixture);
          assert.match(error.message, message);
          assert.match(error.message, /^Component "shop" could not be started: /);
          assert.match(String(error.details['output']), output, fixture);
        }),
      );
    });

    test('a module that is not loaded in time is given up, and leaves no process', async (t) => {
      const clock = new FakeClock();
      const bench = await Bench.open(t, create, { clock });
      const hangs = failure(bench.start('hangs'));
      await bench.log.until(/about to hang/);
      const spins = failure(bench.start('spins'));
      await clock.advance(10_000);
      for (const error of await Promise.all([hangs, spins])) {
        assert.equal(error.code, 'start-failed');
        assert.match(error.message, /not loaded within 10s/);
      }
      assert.match(String((await hangs).details['output']), /about to hang/);
    });

    test('a start that is given up leaves no process', async (t) => {
      const bench = await Bench.open(t, create);
      const abort = new AbortController();
      const starting = bench.start('hangs', { signal: abort.signal });
      await bench.log.until(/about to hang/);
      abort.abort(new FulcrumError('shutting-down', 'told by the test'));
      await assert.rejects(starting, { code: 'start-failed' });
      await assert.rejects(bench.start('http', { signal: abort.signal }), { code: 'start-failed' });
    });

    test('told how long to keep what instances are forked from, it lets the living work on and makes others as ever', async (t) => {
      const bench = await Bench.open(t, create);
      const one = await bench.start('http');
      bench.keepZygote(one.revision, 0);
      assert.deepEqual(await one.healthy(10_000), { healthy: true });
      const other = await bench.start('http', { revision: one.revision });
      await one.stop(10_000, 'told by the test');
      assert.deepEqual(await other.healthy(10_000), { healthy: true });
      await other.stop(10_000, 'told by the test');
      const third = await bench.start('http', { revision: one.revision });
      bench.keepZygote(one.revision, null);
      assert.deepEqual(await third.healthy(10_000), { healthy: true });
    });

    test('hooks: onLoad once where the module is loaded, onStart in each instance before it works', async (t) => {
      const bench = await Bench.open(t, create);
      const one = await bench.start('hooks', {}, { NAME: 'shop' });
      const other = await bench.start('hooks', { revision: one.revision });
      assert.deepEqual(one.handlersOf(one.revision.spec.name)!.functions, ['told']);
      const [a, b] = await Promise.all(
        [one, other].map(async (instance) => valueOf(await call(instance, 'told', json([]))) as Hooks),
      );
      assert.deepEqual(
        [a!.said, b!.said],
        [
          ['loaded shop', 'started shop'],
          ['loaded shop', 'started shop'],
        ],
      );
      assert.notEqual(a!.id, b!.id);
      const failed = await failure(bench.start('hooks', {}, { FAILS: 'yes' }));
      assert.equal(failed.code, 'start-failed');
      assert.match(failed.message, /cannot connect/);
      const abort = new AbortController();
      const hanging = failure(bench.start('hooks', { signal: abort.signal }, { HANGS: 'yes' }));
      await bench.log.until(/about to hang/);
      abort.abort(new FulcrumError('shutting-down', 'told by the test'));
      assert.equal((await hanging).code, 'start-failed');
    });

    test('a bare function and an object with methods are modules too', async (t) => {
      const bench = await Bench.open(t, create);
      const bare = await bench.start('bare');
      assert.deepEqual(bare.handlersOf(bare.revision.spec.name), {
        fetch: true,
        scheduled: false,
        queue: false,
        websocket: false,
        functions: [],
        idempotent: [],
      });
      const answer = ask(bare, '/', { method: 'PATCH' });
      await answer.outcome;
      assert.equal(answer.text, 'bare PATCH');
      const object = ask(await bench.start('app-class'), '/');
      await object.outcome;
      assert.equal(object.text, 'app');
    });

    test('the environment is what the config says and a base, and nothing secret is to be seen from outside', async (t) => {
      process.env['FULCRUM_TEST_LEAK'] = 'leaked';
      t.after(() => delete process.env['FULCRUM_TEST_LEAK']);
      const bench = await Bench.open(t, create);
      const env = { SECRET: 's3cret', NODE_ENV: 'production', EMPTY: '' };
      const instance = await bench.start('http', {}, env);
      // A sandbox adds where temporary files go, a home among them, and nothing else.
      const {
        TMPDIR: _,
        HOME: _home,
        ...seen
      } = (await ask(instance, '/env').json()) as Record<string, string>;
      assert.deepEqual(seen, { PATH: process.env['PATH'], ...env });
      assert.doesNotMatch(JSON.stringify(await ask(instance, '/args').json()), /s3cret/);
      if (process.platform === 'linux') {
        const { readFile } = await import('node:fs/promises');
        for (const name of ['environ', 'cmdline']) {
          const text = await readFile(`/proc/${instance.pid}/${name}`, 'utf8');
          assert.doesNotMatch(text, /s3cret|leaked|token/);
        }
      }
    });

    test('an instance tells what it is, answers pings and can be measured', async (t) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('http', { mode: 'service' });
      assert.deepEqual(
        [instance.mode, instance.state, instance.inspectUrl, instance.engine],
        ['service', 'ready', null, bench.runtime.engine],
      );
      const answer = ask(instance, '/pid');
      await answer.outcome;
      assert.equal(answer.text, innerPid(instance.pid));
      assert.deepEqual(await instance.healthy(10_000), { healthy: true });
      const usage = await instance.measure();
      assert.ok(usage!.memoryBytes > 0.1 * MB && usage!.memoryBytes < 256 * MB);
      assert.ok(usage!.cpuMs >= 0);
    });

    test('an upgrade is refused, and its socket left alone', async (t) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('bare');
      const socket = new PassThrough();
      const head = {
        method: 'GET',
        url: 'http://shop.example/',
        target: '/',
        headers: ['Upgrade', 'websocket'],
      };
      const { context } = new TestInvocation();
      const { error } = await instance.upgrade({ context, head, socket, early: new Uint8Array() });
      assert.deepEqual(
        [error!.code, socket.destroyed, socket.readableLength],
        ['upgrade-unsupported', false, 0],
      );
    });

    test('an inspector is opened where one is asked for', async (t) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('http', { inspectPort: 0 });
      assert.match(instance.inspectUrl!, /^ws:\/\/127\.0\.0\.1:\d+\//);
    });

    test('drain ends event streams cleanly, and lets everything else finish', async (t) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('http');
      const events = ask(instance, '/events');
      const waiting = ask(instance, '/two-chunks');
      await Promise.all([events.until(({ bytes }) => bytes > 0), waiting.until(({ bytes }) => bytes > 0)]);
      instance.drain();
      instance.drain();
      assert.equal(instance.state, 'draining');
      assert.equal((await events.outcome).outcome, 'ok');
      assert.deepEqual([events.text, events.whole], ['data: 1\n\n', true]);
      await Promise.all([bench.log.until(/aborted: AbortError/), bench.log.until(/events cancelled/)]);
      // One that was given away before the drain is served still; an event stream ends at once.
      assert.equal((await ask(instance, '/events').outcome).outcome, 'ok');
      await ask(instance, '/release').outcome;
      assert.equal((await waiting.outcome).outcome, 'ok');
      assert.equal(waiting.text, 'onetwo');
    });

    test('stop lets what has begun finish, and then the process ends by itself', async (t) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('http');
      const answer = ask(instance, '/two-chunks');
      await answer.until(({ bytes }) => bytes > 0);
      const release = ask(instance, '/release');
      const stopped = instance.stop(30_000, 'keep-alive passed');
      assert.equal(instance.state, 'ending');
      await stopped;
      assert.deepEqual([(await release.outcome).outcome, (await answer.outcome).outcome], ['ok', 'ok']);
      // How much CPU time it used, some engines tell besides.
      const { cpuMs: _, ...end } = await instance.ended;
      assert.deepEqual(end, {
        reason: 'keep-alive passed',
        exitCode: 0,
        signal: null,
        expected: true,
      });
      await instance.stop(1, 'again');
    });

    test('stop kills what does not end in time', async (t) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('http');
      await ask(instance, '/ignore-sigterm').outcome;
      const answer = ask(instance, '/hang');
      await bench.log.until(/^hanging$/);
      await instance.stop(50, 'told by the test');
      assert.equal((await answer.outcome).outcome, 'crashed');
      assert.equal((await instance.ended).signal, 'SIGKILL');
      assert.equal(isAlive(instance.pid), false);
    });

    test('closing the runtime ends every instance, also one that is starting', async (t) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('http');
      const answer = ask(instance, '/hang');
      const starting = bench.start('hangs');
      await Promise.all([bench.log.until(/^hanging$/), bench.log.until(/about to hang/)]);
      await Promise.all([bench.runtime.close(), assert.rejects(starting, { code: 'start-failed' })]);
      assert.equal((await answer.outcome).outcome, 'crashed');
      assert.equal(isAlive(instance.pid), false);
      await assert.rejects(bench.start('http'), { code: 'shutting-down' });
    });
  });
}

async function failure(starting: Promise<Instance>): Promise<FulcrumError> {
  try {
    await starting;
  } catch (error) {
    return error as FulcrumError;
  }
  throw new assert.AssertionError({ message: 'it started' });
}

/** A process' id as it sees it itself: another than the host's where it lives in a process tree of its own. */
function innerPid(pid: number): string {
  if (process.platform !== 'linux') return String(pid);
  const ids = /^NSpid:(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]!;
  return ids.trim().split(/\s+/).at(-1)!;
}
