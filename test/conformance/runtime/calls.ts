import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { deserialize, serialize } from 'node:v8';
import { FulcrumError } from '../../../src/base/errors.ts';
import { NO_CALLER, type Caller } from '../../../src/model/calls.ts';
import { asEnginesFormat } from '../../../src/runtime/wire/text-value.ts';
import type { Instance } from '../../../src/model/instance.ts';
import type { InvocationContext, InvocationResult, Payload } from '../../../src/model/invocation.ts';
import { call, Bench, json, TestInvocation, valueOf, type CreateRuntime } from './bench.ts';

interface Called {
  from: string;
  to: string;
  name: string;
  parent: InvocationContext;
}

/** Functions, schedules, events and calls between components. */
export function callConformance(create: CreateRuntime): void {
  describe('calls', () => {
    let bench: Bench;
    let instance: Instance;
    const calls: Called[] = [];
    let close = async (): Promise<void> => {};
    before(async () => {
      const ends = { after: (work: typeof close) => void (close = work) };
      bench = await Bench.open(ends, create, { caller: callerTo(() => instance, calls) });
      instance = await bench.start('functions');
    });

    after(() => close());

    test('the module’s handlers and functions are listed', () => {
      assert.deepEqual(instance.handlersOf(instance.revision.spec.name), {
        fetch: false,
        scheduled: true,
        queue: true,
        websocket: false,
        functions: [
          'add',
          'describe',
          'fails',
          'giveBack',
          'held',
          'large',
          'letGo',
          'makeErrors',
          'never',
          'notCloneable',
          'relay',
          'relayError',
          'relayMany',
          'takeErrors',
        ],
        idempotent: [],
      });
    });

    test('a function is called with its arguments and answers in the encoding it was asked in', async () => {
      const asked = await call(instance, 'add', json([2, 3]));
      assert.deepEqual([asked.outcome, asked.error, asked.thrown, valueOf(asked)], ['ok', null, null, 5]);
      const cloned = await call(instance, 'add', clone([2, 3]));
      assert.equal(cloned.value!.encoding, 'clone');
      assert.equal(deserialize(asEnginesFormat(cloned.value!.bytes)), 5);
      assert.equal(
        deserialize(asEnginesFormat((await call(instance, 'giveBack', clone([]))).value!.bytes)),
        undefined,
      );
    });

    test('structured clone keeps what JSON does not', async () => {
      const value: Record<string, unknown> = {
        date: new Date(),
        map: new Map([['k', 7]]),
        bytes: new Uint8Array([1, 2]),
        error: new RangeError('far', { cause: new Error('why') }),
      };
      value['self'] = value;
      const result = await call(instance, 'describe', clone([value]));
      assert.deepEqual(deserialize(asEnginesFormat(result.value!.bytes)), {
        kind: '[object Object]',
        date: true,
        map: 7,
        bytes: [1, 2],
        error: ['RangeError', 'far', undefined, 'why'],
        self: true,
      });
    });

    test('what a function throws is carried over with name, message, code, cause and when to try again', async () => {
      const { outcome, error, thrown, value } = await call(instance, 'fails', json([]));
      assert.deepEqual([outcome, error!.code, value], ['handler-error', 'handler-error', null]);
      assert.deepEqual(
        { ...thrown, stack: null, cause: { ...thrown!.cause, stack: null } },
        {
          name: 'ShopError',
          message: 'no such thing',
          stack: null,
          code: 'E_SHOP',
          cause: { name: 'Error', message: 'below', stack: null, code: 'E_BELOW', cause: null },
          retryAfterS: 7,
        },
      );
      assert.match(thrown!.stack!, /functions\.mjs/);
    });

    test('what cannot be called or cannot cross says so', async () => {
      const cases: [string, Payload, string, RegExp][] = [
        ['nope', json([]), 'call-unknown-function', /no function `nope`/],
        ['NotAFunction', json([]), 'call-unknown-function', /NotAFunction/],
        ['toString', json([]), 'call-unknown-function', /toString/],
        ['notCloneable', clone([]), 'call-not-cloneable', /the result\.items\[1\]\.onClick/],
        ['large', clone([11 * 1024 * 1024]), 'call-too-large', /10 MB/],
        ['add', json({ a: 1 }), 'bad-request', /must be a list/],
        ['add', { encoding: 'json', bytes: Buffer.from('[') }, 'bad-request', /JSON/],
        ['add', { encoding: 'clone', bytes: Buffer.from([1, 2, 3]) }, 'bad-request', /./],
      ];
      for (const [name, args, code, message] of cases) {
        const { outcome, error } = await call(instance, name, args);
        assert.deepEqual([name, outcome, error!.code], [name, 'handler-error', code]);
        assert.match(error!.message, message);
      }
    });

    test('megabytes of arguments and result cross', async () => {
      const bytes = Buffer.alloc(5 * 1024 * 1024, 'abc');
      const result = await call(instance, 'giveBack', clone([bytes]));
      assert.ok(bytes.equals(deserialize(asEnginesFormat(result.value!.bytes)) as Uint8Array));
    });

    test('a call that is given up is over at once', async () => {
      const invocation = new TestInvocation();
      const running = call(instance, 'never', json([]), invocation);
      await bench.log.until(/^never$/);
      invocation.abort('timeout');
      assert.deepEqual([(await running).outcome, (await running).error!.code], ['timeout', 'timeout']);
    });

    test('a call whose caller has gone is over when its function is, or at its deadline', async () => {
      const invocation = new TestInvocation();
      const held = call(instance, 'held', json([]), invocation);
      await bench.log.until(/^held$/);
      let over = false;
      void held.then(() => (over = true));
      invocation.abort('client-gone');
      await call(instance, 'add', json([1, 2]));
      assert.equal(over, false);
      await call(instance, 'letGo', json([]));
      const { outcome, error, value } = await held;
      assert.deepEqual([outcome, error!.code, value], ['cancelled', 'client-gone', null]);

      const late = new TestInvocation('r_late', 50);
      const hanging = call(instance, 'never', json([]), late);
      await call(instance, 'add', json([1, 2]));
      late.abort('client-gone');
      assert.equal((await hanging).outcome, 'timeout');
    });

    test('a component calls another for the invocation that it runs', async () => {
      calls.length = 0;
      const invocation = new TestInvocation('r_parent');
      const result = valueOf(
        await call(instance, 'relay', json(['other', 'giveBack', { a: 1 }]), invocation),
      );
      assert.deepEqual(result, { value: { a: 1 } });
      assert.deepEqual(
        calls.map(({ from, to, name, parent }) => [from, to, name, parent === invocation.context]),
        [['shop', 'other', 'giveBack', true]],
      );
    });

    test('what the other component throws is thrown to the caller', async () => {
      const thrown = valueOf(await call(instance, 'relay', json(['other', 'fails'])));
      assert.deepEqual(thrown, {
        caught: [true, 'ShopError', 'no such thing', 'E_SHOP', 'below', 'E_BELOW'],
        retryAfterS: 7,
      });
      const unknown = valueOf(await call(instance, 'relay', json(['other', 'nope'])));
      assert.deepEqual((unknown as { caught: unknown[] }).caught[3], 'call-unknown-function');
      const broken = valueOf(await call(instance, 'relay', json(['broken', 'x'])));
      assert.deepEqual((broken as { caught: unknown[] }).caught.slice(2, 4), [
        'the caller itself broke',
        'internal',
      ]);
    });

    test('errors inside values keep their name and code on the way through components', async () => {
      const described = valueOf(await call(instance, 'relayError', json([]))) as { error: unknown };
      assert.deepEqual(described.error, ['OwnError', 'inside', 'E_OWN', 'below']);
      assert.deepEqual(valueOf(await call(instance, 'takeErrors', json([]))), [
        [true, 'OwnError', 'inside', 7],
        [true, 'RangeError', 'far', null],
      ]);
    });

    test('a component may have more calls under way than the wire takes at a time', async () => {
      const result = valueOf(await call(instance, 'relayMany', json([600])));
      assert.deepEqual(
        result,
        Array.from({ length: 600 }, (_, i) => i),
      );
    });

    test('a schedule’s tick runs, waitUntil included', async () => {
      const event = json({ cron: '0 2 * * *', scheduledTime: 1 });
      const result = await instance.invoke(
        { kind: 'scheduled', event },
        new TestInvocation('r_tick').context,
      );
      assert.equal(result.outcome, 'ok');
      const line = bench.log.entries.find(({ text }) => text === 'ticked 0 2 * * * shop');
      assert.equal(line?.requestId, 'r_tick');
    });

    test('a batch is answered message by message', async () => {
      const messages = ['e_1', 'e_2', 'e_3'].map((id) => ({
        id,
        type: 'order.paid',
        data: {},
        time: 1,
        attempt: 1,
      }));
      const batch = json({ messages });
      const result = await instance.invoke({ kind: 'queue', batch }, new TestInvocation().context);
      assert.deepEqual(valueOf(result), { acked: ['e_1'], retried: ['e_2'] });
      const failing = json({ messages: messages.map((message) => ({ ...message, data: { fail: true } })) });
      const failed = await instance.invoke({ kind: 'queue', batch: failing }, new TestInvocation().context);
      assert.deepEqual([failed.outcome, failed.thrown!.message], ['handler-error', 'bad batch']);
      assert.match((await bench.log.until(/bad batch/)).text, /functions\.mjs/);
    });

    test('a handler that is not there is handler-missing', async (t) => {
      const own = await Bench.open(t, create);
      const bare = await own.start('bare');
      for (const invocation of [
        { kind: 'scheduled', event: json({}) },
        { kind: 'queue', batch: json({}) },
      ] as const) {
        assert.equal(
          (await bare.invoke(invocation, new TestInvocation().context)).error!.code,
          'handler-missing',
        );
      }
    });
  });
}

function clone(value: unknown): Payload {
  return { encoding: 'clone', bytes: serialize(value) };
}

/** Calls of `other` come back to the same instance; those of `broken` fail in the platform. */
function callerTo(instance: () => Instance, calls: Called[]): Caller {
  return {
    call: async (from, to, invocation, parent): Promise<InvocationResult> => {
      calls.push({ from, to, name: invocation.kind === 'call' ? invocation.function : '', parent });
      if (to === 'broken') throw new FulcrumError('internal', 'the caller itself broke');
      if (invocation.kind === 'call' && invocation.function === 'echo') {
        const [value] = deserialize(asEnginesFormat(invocation.args.bytes)) as unknown[];
        return { outcome: 'ok', error: null, cpuMs: 0, thrown: null, value: clone(value) };
      }
      return await instance().invoke(invocation, parent);
    },
    fetch: NO_CALLER.fetch,
  };
}
