import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FulcrumError } from '../../../src/base/errors.ts';
import type { Instance } from '../../../src/model/instance.ts';
import { ask, Bench, FastBody, TestInvocation, type CreateRuntime } from './bench.ts';

const MB = 1024 * 1024;

/** HTTP through an instance that does as it should. */
export function httpConformance(create: CreateRuntime): void {
  describe('http', () => {
    let bench: Bench;
    let instance: Instance;
    let close = async (): Promise<void> => {};
    before(async () => {
      const ends = { after: (work: typeof close) => void (close = work) };
      bench = await Bench.open(ends, create);
      instance = await bench.start('http', {}, { CURRENCY: 'EUR' });
    });

    after(() => close());

    test('the handler sees the request as the client meant it, its environment and its context', async () => {
      const answer = ask(instance, '/request?a=1&a=2', {
        method: 'PUT',
        headers: ['X-Test', 'one', 'x-test', 'two', 'Cookie', 'a=1', 'cookie', 'b=2'],
        body: Buffer.from('hällo'),
        invocation: new TestInvocation('r_seen'),
      });
      const seen = (await answer.json()) as Record<string, unknown>;
      assert.deepEqual(
        { ...seen, remainingMs: (seen['remainingMs'] as number) > 50_000 },
        {
          method: 'PUT',
          url: 'http://shop.example/request?a=1&a=2',
          header: 'one, two',
          cookie: 'a=1; b=2',
          body: 'hällo',
          env: { CURRENCY: 'EUR' },
          requestId: 'r_seen',
          component: 'shop',
          remainingMs: true,
        },
      );
    });

    test('status, headers and body arrive, and CPU time is told', async () => {
      const answer = ask(instance, '/hello');
      const { outcome, error, cpuMs } = await answer.outcome;
      assert.deepEqual(
        [outcome, error, answer.status, answer.text, answer.whole],
        ['ok', null, 200, 'hello', true],
      );
      assert.deepEqual(answer.header('content-type'), ['text/plain']);
      assert.ok(cpuMs >= 0 && cpuMs < 1_000);
    });

    test('several Set-Cookie fields stay apart; 204 and 304 have no body', async () => {
      const cookies = ask(instance, '/cookies');
      await cookies.outcome;
      assert.deepEqual([cookies.status, cookies.bytes, cookies.whole], [204, 0, true]);
      assert.deepEqual(cookies.header('set-cookie'), ['a=1; Path=/', 'b=2, c']);
      const unchanged = ask(instance, '/not-modified');
      await unchanged.outcome;
      assert.deepEqual([unchanged.status, unchanged.bytes, unchanged.header('etag')], [304, 0, ['"1"']]);
    });

    test('the answer to HEAD has no body, whatever the handler returned', async () => {
      const answer = ask(instance, '/hello', { method: 'HEAD' });
      assert.equal((await answer.outcome).outcome, 'ok');
      assert.deepEqual([answer.status, answer.bytes, answer.whole], [200, 0, true]);
    });

    test('a GET with a body is served, without it', async () => {
      const answer = ask(instance, '/request', { method: 'GET', body: new FastBody(4 * MB) });
      assert.equal(((await answer.json()) as { body: string }).body, '');
    });

    test('megabytes go both ways, unchanged', async () => {
      const bytes = Buffer.alloc(3 * MB + 17, 'the quick brown fox ');
      const answer = ask(instance, '/echo', { body: bytes });
      assert.equal((await answer.outcome).outcome, 'ok');
      assert.equal(answer.status, 201);
      assert.ok(bytes.equals(Buffer.from(answer.text)));
    });

    test('large answers that are sent one after the other and together keep their own bytes', async () => {
      for (let round = 0; round < 3; round++) {
        const asked = 'abcdefgh'.split('').flatMap((fill, i) =>
          ['', '&text=1'].map((kind) => {
            const bytes = 20_000 + i * 170_001;
            return { fill, bytes, answer: ask(instance, `/large?bytes=${bytes}&fill=${fill}${kind}`) };
          }),
        );
        for (const { fill, bytes, answer } of asked) {
          assert.equal((await answer.outcome).outcome, 'ok');
          assert.ok(answer.text === fill.repeat(bytes), `${bytes} times ${fill}`);
        }
      }
    });

    test('a Response that is answered with again and again stays what it is', async () => {
      for (let i = 0; i < 3; i++) {
        const answers = [ask(instance, '/cached'), ask(instance, '/large?bytes=300000&fill=z')];
        await Promise.all(answers.map((answer) => answer.outcome));
        assert.ok(answers[0]!.text === 'c'.repeat(300_000));
        assert.ok(answers[1]!.text === 'z'.repeat(300_000));
      }
    });

    test('large bodies are read whole, in each way that there is, also many at a time', async () => {
      const bodies = Array.from({ length: 6 }, (_, i) => Buffer.alloc(MB + i * 500_001, `body ${i} `));
      for (const how of ['text', 'bytes', 'arrayBuffer']) {
        const answers = bodies.map((body) =>
          ask(instance, `/upload?how=${how}`, { body, headers: ['Content-Length', String(body.length)] }),
        );
        for (const [i, answer] of answers.entries()) {
          assert.equal((await answer.outcome).outcome, 'ok');
          assert.ok(bodies[i]!.equals(Buffer.from(answer.text)), `${how} of body ${i}`);
        }
      }
      const json = ask(instance, '/upload?how=json', {
        body: Buffer.from(JSON.stringify({ text: 'x'.repeat(2 * MB) })),
      });
      await json.outcome;
      assert.equal(json.text, String(2 * MB));
    });

    test('the pieces of a body are the handler’s to keep', async () => {
      const bytes = Buffer.alloc(12 * MB + 17, 'the quick brown fox ');
      const answer = ask(instance, '/keeps-chunks', {
        body: bytes,
        headers: ['Content-Length', String(bytes.length)],
      });
      assert.equal((await answer.outcome).outcome, 'ok');
      assert.ok(bytes.equals(Buffer.from(answer.text)));
    });

    test('an answer streams: its first part is there before its last is made', async () => {
      const answer = ask(instance, '/two-chunks');
      await answer.until(({ text }) => text === 'one');
      assert.equal(answer.whole, false);
      await ask(instance, '/release').outcome;
      await answer.outcome;
      assert.equal(answer.text, 'onetwo');
    });

    test('a fast handler waits for a slow client', async () => {
      const answer = ask(instance, '/endless');
      answer.full = true;
      await answer.until(({ bytes }) => bytes > 0);
      // Requests beside it are served while it stands still; by their answers all that was on its way has come.
      let sent = 0;
      for (let before = -1; before !== sent;) {
        before = sent;
        const other = ask(instance, '/endless-sent');
        await other.outcome;
        sent = Number(other.text);
      }
      assert.ok(sent < 2 * MB, `${sent} bytes made`);
      assert.ok(answer.bytes <= MB, `${answer.bytes} bytes taken`);
      const taken = answer.bytes;
      answer.drain();
      await answer.until(({ bytes }) => bytes > taken + 4 * MB);
      answer.invocation.abort('client-gone');
      assert.equal((await answer.outcome).outcome, 'cancelled');
      await bench.log.until(/endless cancelled/);
    });

    test('a fast client waits for a slow handler', async () => {
      const paused = Promise.withResolvers<void>();
      const body = new FastBody(8 * MB, paused.resolve);
      const answer = ask(instance, '/slow-reader', { body });
      await Promise.all([paused.promise, bench.log.until(/^holding$/)]);
      await ask(instance, '/hello').outcome;
      assert.ok(body.sent <= MB, `${body.sent} bytes sent`);
      await ask(instance, '/release').outcome;
      await answer.outcome;
      assert.equal(answer.text, String(8 * MB));
    });

    test('a body that breaks off is an error to whoever reads it', async () => {
      const paused = Promise.withResolvers<void>();
      const body = new FastBody(8 * MB, paused.resolve);
      const answer = ask(instance, '/slow-reader', { body });
      await paused.promise;
      body.fail(new FulcrumError('body-too-large', 'told by the test'));
      await bench.log.until(/^holding$/);
      await ask(instance, '/release').outcome;
      const { outcome, error } = await answer.outcome;
      assert.equal(outcome, 'handler-error');
      assert.match(error!.message, /broke off \(body-too-large\)/);
    });

    test('a client that goes away aborts the signal, and the end is when the handler has ended', async () => {
      const answer = ask(instance, '/wait-abort');
      await bench.log.until(/^waiting$/);
      answer.invocation.abort('client-gone');
      const { outcome, error } = await answer.outcome;
      assert.deepEqual([outcome, error!.code, answer.status], ['cancelled', 'client-gone', 0]);
      assert.ok(bench.log.entries.some(({ text }) => text === 'true AbortError'));
    });

    test('a timeout is an end at once', async () => {
      const answer = ask(instance, '/hang');
      await bench.log.until(/^hanging$/);
      answer.invocation.abort('timeout');
      const { outcome, error } = await answer.outcome;
      assert.deepEqual([outcome, error!.code], ['timeout', 'timeout']);
      assert.equal(instance.state, 'ready');
    });

    test('a handler that goes on after its client has gone is over at its deadline', async () => {
      const answer = ask(instance, '/hang', { invocation: new TestInvocation('r_late', 50) });
      answer.invocation.abort('client-gone');
      assert.equal((await answer.outcome).outcome, 'timeout');
    });

    for (const code of ['body-too-large', 'body-timeout', 'bad-request', 'bad-response'] as const) {
      test(`a handler that is told to end (${code}) is over when it has ended, not before`, async () => {
        const answer = ask(instance, '/slow-reader', { body: new FastBody(MB) });
        await bench.log.until(/^holding$/);
        let over = false;
        void answer.outcome.then(() => (over = true));
        answer.invocation.abort(code);
        await ask(instance, '/hello').outcome;
        assert.equal(over, false);
        await ask(instance, '/release').outcome;
        const { outcome, error } = await answer.outcome;
        assert.deepEqual([outcome, error!.code], ['cancelled', code]);
      });
    }

    test('a shutdown is an end at once', async () => {
      const answer = ask(instance, '/hang');
      answer.invocation.abort('shutting-down');
      const { outcome, error } = await answer.outcome;
      assert.deepEqual([outcome, error!.code], ['cancelled', 'shutting-down']);
    });

    test('a request that is over before it begins does not reach the handler', async () => {
      const invocation = new TestInvocation();
      invocation.abort('client-gone');
      const body = new FastBody(MB);
      assert.equal((await ask(instance, '/hello', { invocation, body }).outcome).outcome, 'cancelled');
      assert.equal(body.cancelled, true);
    });

    test('the invocation lasts as long as what waitUntil was given; a rejection there is logged', async () => {
      const answer = ask(instance, '/wait-until', { invocation: new TestInvocation('r_wait') });
      await answer.until(({ whole }) => whole);
      const line = await bench.log.until(/in the background/);
      assert.deepEqual([line.requestId, line.level], ['r_wait', 'error']);
      const first = await Promise.race([
        answer.outcome,
        ask(instance, '/hello').outcome.then(() => 'goes on'),
      ]);
      assert.equal(first, 'goes on');
      await ask(instance, '/release').outcome;
      assert.equal((await answer.outcome).outcome, 'ok');
    });

    test('what is no Response is a bad response', async () => {
      const cases: [string, RegExp][] = [
        ['/returns-text', /returned a string where a Response is needed/],
        ['/returns-nothing', /returned undefined where/],
        ['/error-response', /status 0/],
        ['/status-101', /status 101/],
        ['/bad-header', /header "x" is not valid/],
        ['/odd-body', /body .* is a number/],
        ['/text-chunks', /no Uint8Array/],
        ['/used', /read already/],
        ['/big-head', /too large/],
      ];
      for (const [target, message] of cases) {
        const { outcome, error } = await ask(instance, target).outcome;
        assert.deepEqual([target, outcome, error?.code], [target, 'bad-response', 'bad-response']);
        assert.match(error!.message, message);
      }
    });

    test('a Response of another kind than Node’s own is as good', async () => {
      const answer = ask(instance, '/own-response');
      await answer.outcome;
      assert.deepEqual([answer.status, answer.text, answer.header('x-own')], [200, 'ok', ['yes']]);
    });

    test('what a handler throws ends its request with handler-error, and is logged with its stack and cause', async () => {
      const { outcome, error } = await ask(instance, '/throw', { invocation: new TestInvocation('r_throw') })
        .outcome;
      assert.deepEqual([outcome, error!.code], ['handler-error', 'handler-error']);
      assert.match(error!.message, /RangeError: out of range/);
      const line = await bench.log.until(/out of range/);
      assert.match(line.text, /http\.mjs:\d+[\s\S]*caused by[\s\S]*the cause/);
      assert.deepEqual([line.requestId, line.level, line.component], ['r_throw', 'error', 'shop']);
      assert.equal((await ask(instance, '/reject').outcome).outcome, 'handler-error');
      assert.equal((await ask(instance, '/throw-odd').outcome).outcome, 'handler-error');
    });

    test('a body that fails on the way ends its request with handler-error, never as whole', async () => {
      const answer = ask(instance, '/throw-in-body');
      assert.equal((await answer.outcome).outcome, 'handler-error');
      assert.deepEqual([answer.text, answer.whole], ['1', false]);
    });

    test('what takes the answer may fail without harm to others', async () => {
      const answer = ask(instance, '/endless');
      answer.data = () => {
        throw new FulcrumError('bad-response', 'told by the test');
      };
      assert.equal((await answer.outcome).outcome, 'bad-response');
      assert.equal((await ask(instance, '/hello').outcome).outcome, 'ok');
    });

    test('a hundred requests at a time are kept apart', async () => {
      const answers = Array.from({ length: 100 }, (_, i) =>
        ask(instance, '/echo', { body: Buffer.from(`body ${i} `.repeat(i * 20)) }),
      );
      await Promise.all(answers.map((answer) => answer.outcome));
      for (const [i, answer] of answers.entries()) assert.equal(answer.text, `body ${i} `.repeat(i * 20));
    });

    test('what an instance with one request at a time prints is that request’s, a program’s output included', async () => {
      const instance = await bench.start('http', { concurrency: 1 });
      for (const id of ['r_first', 'r_second']) {
        assert.equal(
          (await ask(instance, '/prints', { invocation: new TestInvocation(id) }).outcome).outcome,
          'ok',
        );
        for (const [source, level, stream] of [
          ['console', 'info', 'stdout'],
          ['stdout', 'info', 'stdout'],
          ['stderr', 'error', 'stderr'],
          ['child', 'info', 'stdout'],
          ['complaint', 'error', 'stderr'],
        ] as const) {
          const line = await bench.log.until(new RegExp(`^${source} for ${id}$`));
          assert.deepEqual(
            [line.component, line.requestId, line.level, line.stream, line.instance],
            ['shop', id, level, stream, instance.id],
            source,
          );
        }
      }
    });

    test('standard input is at its end', async () => {
      const answer = ask(await bench.start('http'), '/stdin');
      assert.equal((await answer.outcome).outcome, 'ok');
      assert.equal(answer.text, 'read 0');
    });

    test('log lines carry their own request’s id, also when many run at a time', async () => {
      const answers = Array.from({ length: 20 }, (_, n) =>
        ask(instance, `/log?n=${n}`, { invocation: new TestInvocation(`r_log${n}`) }),
      );
      await Promise.all(answers.map((answer) => answer.outcome));
      for (let n = 0; n < 20; n++) {
        for (const [text, level, stream] of [
          [`log ${n}`, 'info', 'stdout'],
          [`warn ${n}`, 'warn', 'stderr'],
          [`out ${n}`, 'info', 'stdout'],
          [`late ${n}`, 'error', 'stderr'],
        ] as const) {
          const line = await bench.log.until(new RegExp(`^${text}$`));
          assert.deepEqual(
            [line.requestId, line.level, line.stream, line.instance, line.revision],
            [`r_log${n}`, level, stream, instance.id, '0123456789ab'],
          );
        }
      }
    });
  });
}
