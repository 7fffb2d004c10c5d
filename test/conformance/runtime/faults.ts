import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'node:test';
import { FulcrumError } from '../../../src/base/errors.ts';
import { ask, Bench, isAlive, TestInvocation, type CreateRuntime } from './bench.ts';

const MB = 1024 * 1024;
const EVENT = {
  type: 'a',
  contentType: 'application/json',
  key: null,
  delayMs: 0,
  dedupe: null,
  subject: null,
};

/** Instances that crash, hang, flood, grow and lie. */
export function faultConformance(create: CreateRuntime): void {
  describe('faults', () => {
    const crashes: [string, string, RegExp][] = [
      ['process.exit()', '/exit', /exit code 3/],
      ['an uncaught exception', '/crash', /exit code 1/],
      ['an unhandled rejection', '/unhandled', /exit code 1/],
    ];
    for (const [what, target, end] of crashes) {
      test(`${what} in a handler ends the instance and all that it had begun`, async (t) => {
        const bench = await Bench.open(t, create);
        const instance = await bench.start('http');
        const other = ask(instance, '/hang');
        await bench.log.until(/^hanging$/);
        const answer = ask(instance, target, { invocation: new TestInvocation('r_crash') });
        for (const { outcome, error } of await Promise.all([answer.outcome, other.outcome])) {
          assert.deepEqual([outcome, error!.code, error!.status], ['crashed', 'instance-crashed', 502]);
          assert.match(error!.message, end);
        }
        const ended = await instance.ended;
        assert.equal(ended.expected, false);
        assert.match(ended.reason, end);
        assert.deepEqual([instance.state, isAlive(instance.pid)], ['ended', false]);
        assert.equal((await ask(instance, '/hello').outcome).outcome, 'crashed');
        assert.equal((await instance.healthy(1_000)).healthy, false);
        assert.equal(await instance.measure(), null);
        if (target === '/exit') return;
        const line = await bench.log.until(/nobody (catches|handles) this/);
        assert.match(line.text, /http\.mjs:\d+/);
        if (target === '/crash') assert.equal(line.requestId, 'r_crash');
      });
    }

    test('an instance killed from outside fails what it had begun, before and after the head', async (t) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('http');
      const begun = ask(instance, '/stream-then-hang');
      const waiting = ask(instance, '/hang');
      await Promise.all([begun.until(({ bytes }) => bytes > 0), bench.log.until(/^hanging$/)]);
      process.kill(instance.pid, 'SIGKILL');
      for (const answer of [begun, waiting]) {
        const { outcome, error } = await answer.outcome;
        assert.equal(outcome, 'crashed');
        assert.match(error!.message, /SIGKILL/);
        assert.equal(answer.whole, false);
      }
      // How much CPU time it used, some engines tell besides.
      const { cpuMs: _, ...end } = await instance.ended;
      assert.deepEqual(end, {
        reason: 'SIGKILL',
        exitCode: null,
        signal: 'SIGKILL',
        expected: false,
      });
    });

    test('an instance that spins is over at its deadline, unhealthy, and can be killed', async (t) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('http');
      const answer = ask(instance, '/loop');
      const beside = ask(instance, '/hang');
      await bench.log.until(/^looping$/);
      answer.invocation.abort('timeout');
      assert.equal((await answer.outcome).outcome, 'timeout');
      assert.deepEqual((await instance.healthy(50)).healthy, false);
      instance.kill(new FulcrumError('timeout', 'told by the test'));
      const { outcome, error } = await beside.outcome;
      assert.deepEqual([outcome, error!.message], ['crashed', 'told by the test']);
      const ended = await instance.ended;
      assert.deepEqual([ended.signal, ended.expected, ended.reason], ['SIGKILL', true, 'told by the test']);
    });

    test('more memory than allowed ends the instance with memory-exceeded', async (t) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('http', { memoryBytes: 128 * MB });
      const { outcome, error } = await ask(instance, '/hog').outcome;
      assert.deepEqual([outcome, error!.code], ['crashed', 'memory-exceeded']);
      assert.equal((await instance.ended).expected, false);
    });

    test('a full JavaScript heap is told as memory-exceeded too', async (t) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('http', { memoryBytes: 96 * MB });
      const { outcome, error } = await ask(instance, '/hog-heap').outcome;
      assert.deepEqual([outcome, error!.code], ['crashed', 'memory-exceeded']);
    });

    test('a flood of output is dropped and told, and harms nobody', async (t) => {
      const bench = await Bench.open(t, create);
      for (const target of ['/flood-console', '/flood-pipe']) {
        const instance = await bench.start('http');
        bench.log.entries.length = 0;
        assert.equal((await ask(instance, target).outcome).outcome, 'ok');
        assert.equal((await ask(instance, '/hello').outcome).outcome, 'ok');
        await bench.log.until(/output dropped/);
        const kept = bench.log.entries.reduce((sum, { text }) => sum + text.length, 0);
        assert.ok(kept < 16 * MB, `${kept} characters kept`);
        instance.kill(new FulcrumError('internal', 'told by the test'));
      }
    });

    test('a giant line is cut; what native code writes is logged without a request', async (t) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('http');
      assert.equal((await ask(instance, '/giant-line').outcome).outcome, 'ok');
      const native = await bench.log.until(/^native$/);
      assert.deepEqual([native.stream, native.requestId], ['stderr', null]);
      assert.match((await bench.log.until(/^zzz/)).text, /… \(cut\)$/);
      assert.ok(bench.log.entries.every(({ text }) => text.length < 20_000));
    });

    test('stacks point to the sources', async (t) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('mapped');
      await ask(instance, '/').outcome;
      assert.match((await bench.log.until(/mapped/)).text, /original\.ts:10:5/);
    });

    test('an instance whose connection is lost ends', async (t) => {
      const bench = await Bench.open(t, create);
      for (const target of ['/close-socket', '/close-socket-and-spin']) {
        const instance = await bench.start('http');
        assert.equal((await ask(instance, target).outcome).outcome, 'crashed');
        await instance.ended;
        assert.equal(isAlive(instance.pid), false);
      }
    });

    const header = (length: number, type: number, stream: number): Buffer => {
      const bytes = Buffer.alloc(10);
      bytes.writeUInt32LE(length, 0);
      bytes[4] = type;
      bytes.writeUInt32LE(stream, 6);
      return bytes;
    };
    const opening = (head: object): Buffer => {
      const bytes = Buffer.from(JSON.stringify(head));
      return Buffer.concat([header(bytes.length, 17, 2), bytes]);
    };
    const publication = (event: unknown): Buffer => opening({ kind: 'publish', encoding: 'json', event });
    const lies: [string, Buffer][] = [
      ['a frame for a stream that is not open', header(0, 20, 9_999)],
      ['a frame of unknown type', header(0, 99, 0)],
      ['a frame of a gigabyte', header(2 ** 30, 7, 0)],
      [
        'two heads',
        Buffer.concat([header(2, 18, 1), Buffer.from([200, 0]), header(2, 18, 1), Buffer.from([200, 0])]),
      ],
      ['data before the head', Buffer.concat([header(1, 19, 1), Buffer.from('x')])],
      ['an end without a head', Buffer.concat([header(4, 25, 1), Buffer.alloc(4)])],
      ['an impossible status', Buffer.concat([header(2, 18, 1), Buffer.from([99, 0])])],
      ['JSON that is none', Buffer.concat([header(1, 26, 1), Buffer.from('{')])],
      ['an event without a type', publication({ ...EVENT, type: 5 })],
      [
        'an event with data behind its end',
        Buffer.concat([publication(EVENT), header(0, 20, 2), header(1, 19, 2), Buffer.from('1')]),
      ],
      ['a batch from an instance', opening({ kind: 'queue', encoding: 'json' })],
      ['a second READY', Buffer.concat([header(2, 3, 0), Buffer.from('{}')])],
      [
        'an error that only the platform can know',
        Buffer.concat([header(27, 26, 1), Buffer.from('{"code":"shutting-down"}   ')]),
      ],
    ];
    test('an instance that lies on the wire ends, and no other', async (t) => {
      const bench = await Bench.open(t, create);
      const honest = await bench.start('http');
      for (const [what, frame] of lies) {
        const liar = await bench.start('http');
        const { outcome, error } = await ask(liar, `/lie?frame=${frame.toString('hex')}`).outcome;
        assert.deepEqual([what, outcome, error!.code], [what, 'crashed', 'wire-protocol']);
        await liar.ended;
        assert.equal(isAlive(liar.pid), false);
      }
      assert.equal((await ask(honest, '/hello').outcome).outcome, 'ok');
    });

    test('garbage and wrong tokens on the socket are dropped', async (t) => {
      const bench = await Bench.open(t, create);
      const instance = await bench.start('http');
      const hello = (fields: object): Buffer => {
        const body = Buffer.from(JSON.stringify(fields));
        return Buffer.concat([header(body.length, 1, 0), body]);
      };
      const version = { major: 1, minor: 0 };
      for (const bytes of [
        Buffer.from('GET / HTTP/1.1\r\n\r\n'),
        Buffer.alloc(100_000, 0xff),
        hello({ ...version, instance: 'i_1', token: 'A'.repeat(43) }),
        hello({ ...version, instance: instance.id, token: '' }),
        hello({ ...version, instance: '__proto__', token: 'A' }),
        hello({ major: 99, minor: 0, instance: 'i_1', token: 'A' }),
        hello({}),
        header(0, 16, 1),
      ]) {
        const socket = connect(bench.socketPath);
        socket.on('error', () => undefined).resume();
        socket.write(bytes);
        await new Promise((resolve) => socket.on('close', resolve));
      }
      assert.equal((await ask(instance, '/hello').outcome).outcome, 'ok');
    });
  });
}
