import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BodyReader } from '../../../src/model/body.ts';
import { NO_CALLER, type Caller } from '../../../src/model/calls.ts';
import type { Instance } from '../../../src/model/instance.ts';
import type { InvocationResult, Returned } from '../../../src/model/invocation.ts';
import { Bench, TestInvocation, call, json, valueOf, type CreateRuntime } from './bench.ts';

const KB = 1024;

/** Streams and signals in the arguments and results of calls between two instances. */
export function callStreamConformance(create: CreateRuntime): void {
  describe('streams in calls', () => {
    let bench: Bench;
    let [from, to]: Instance[] = [];
    let close = async (): Promise<void> => {};
    before(async () => {
      const ends = { after: (work: typeof close) => void (close = work) };
      const caller: Caller = {
        call: (_from, _to, invocation, parent) => to!.invoke(invocation, parent),
        fetch: NO_CALLER.fetch,
      };
      bench = await Bench.open(ends, create, { caller });
      [from, to] = await Promise.all([bench.start('streams'), bench.start('streams')]);
    });

    after(() => close());

    const asked = async (name: string, ...args: unknown[]): Promise<unknown> =>
      valueOf(await call(from!, name, json(args)));

    test('they pass both ways, chunk by chunk', async () => {
      assert.deepEqual(await asked('readGiven', 5), [0, 1, 2, 3, 4]);
      assert.deepEqual(await asked('passStream', 3), ['c0', 'c1', 'c2']);
      assert.equal(((await asked('readGiven', 20_000)) as unknown[]).length, 20_000);
    });

    test('what a source fails with reaches the reader', async () => {
      const shown = { name: 'ShopError', message: 'broke off', code: 'E_SHOP', cause: 'below' };
      assert.deepEqual(await asked('readFailing'), shown);
    });

    test('a slow reader holds the source back, and its reason for reading no more reaches that', async () => {
      const bytes = (await asked('readSlowly')) as number;
      assert.ok(bytes <= 1024 * KB, `${bytes} bytes were pulled`);
      await bench.log.until(/^cancelled: RangeError: enough$/);
    });

    test('a signal that aborts later does so at the other side, with its reason', async () => {
      const running = asked('abortLater');
      await bench.log.until(/^listening$/);
      await asked('abortNow');
      assert.deepEqual(await running, { name: 'RangeError', message: 'changed my mind' });
    });

    test('a caller whose process ends cancels the source of what it read', async () => {
      const leaving = await bench.start('streams');
      const running = call(leaving, 'hold', json([]));
      await bench.log.until(/^reading$/);
      await leaving.stop(0, 'told by the test');
      assert.equal((await running).outcome, 'crashed');
      await bench.log.until(/^cancelled: AbortError/);
    });

    test('a stream that nobody reads on ends with the invocation that it was returned to', async () => {
      assert.equal(await asked('forget'), 'again');
      await bench.log.until(/^forgotten is cancelled$/);
    });

    test('what was returned is told before the invocation is over, and over it is with its streams', async () => {
      const returned = Promise.withResolvers<Returned>();
      const invocation = {
        kind: 'call',
        function: 'give',
        args: { encoding: 'clone', bytes: Buffer.from([0xff, 0x0f, 0x41, 1, 0x49, 6, 0x24, 0, 1]) },
        onReturned: returned.resolve,
      } as const;
      let isOver = false;
      const running: Promise<InvocationResult> = to!
        .invoke(invocation, new TestInvocation().context)
        .finally(() => (isOver = true));
      const { passed, value } = await returned.promise;
      assert.deepEqual([passed.length, value.encoding, isOver], [1, 'clone', false]);
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      let bytes = 0;
      const reader: BodyReader = {
        data: (chunk) => void (bytes += chunk.length),
        end: resolve,
        fail: (error) => assert.fail(error),
      };
      passed[0]!.read(reader);
      await ended;
      assert.ok(bytes > 0);
      const { outcome, value: again } = await running;
      assert.equal(outcome, 'ok');
      assert.deepEqual(again, value);
    });

    test('where nobody takes streams a result that has some is refused', async () => {
      const asJson = await call(to!, 'give', json([2]));
      assert.deepEqual([asJson.outcome, asJson.error!.code], ['handler-error', 'call-not-cloneable']);
      assert.match(asJson.error!.message, /stream/);
      const bytes = Buffer.from([0xff, 0x0f, 0x41, 1, 0x49, 6, 0x24, 0, 1]);
      const cloned = await call(to!, 'give', { encoding: 'clone', bytes });
      assert.deepEqual([cloned.outcome, cloned.error!.code], ['handler-error', 'call-not-cloneable']);
    });

    // The last, for it ends the callee.
    test('a callee that dies in mid-stream fails the stream, which names it and the request', async () => {
      const shown = (await asked('readDying')) as { code: string; message: string };
      assert.equal(shown.code, 'instance-crashed');
      assert.match(shown.message, /"hello".*r_test.*exit code 3/);
      assert.equal((await to!.ended).exitCode, 3);
    });
  });
}
