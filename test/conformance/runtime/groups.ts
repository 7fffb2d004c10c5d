import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import type { EventOrder, Published } from '../../../src/model/event.ts';
import type { CallRecord } from '../../../src/model/calls.ts';
import type { Instance } from '../../../src/model/instance.ts';
import type { InvocationContext, InvocationResult } from '../../../src/model/invocation.ts';
import type { ModuleRevision } from '../../../src/model/revision.ts';
import { MAX_PAYLOAD_BYTES } from '../../../src/runtime/wire/limits.ts';
import { chainWith, pathOf } from '../../../src/runtime/wire/chain-text.ts';
import {
  ask,
  Bench,
  json,
  moduleRevision,
  TestInvocation,
  TRACEPARENT,
  valueOf,
  type CreateRuntime,
} from './bench.ts';
import { bundleMembers, GroupCaller } from './group-caller.ts';

/** Of the member `slow`, whose time the others' calls of it must not outlast. */
const SLOW_MS = 400;
const MOST_LETTERS = MAX_PAYLOAD_BYTES - '[{"text":""}]'.length;
/** A chain that is so long that one more call may follow. */
const LONG = chainWith(
  null,
  Array.from({ length: 30 }, (_, i) => ({ component: 'far', function: `f${i}` })),
);

/** An instance of several components: what it is asked to do, and calls within it. */
export function groupConformance(create: CreateRuntime): void {
  describe('groups', () => {
    const records: CallRecord[] = [];
    const published: { from: string | null; orders: readonly EventOrder[] }[] = [];
    let members: readonly ModuleRevision[];
    let caller: GroupCaller;
    let bench: Bench;
    let group: Instance;
    /** The same, each in an instance of its own. */
    let apart: { readonly caller: GroupCaller; readonly front: Instance; readonly log: Bench['log'] };
    const closings: (() => Promise<void>)[] = [];
    const ends = { after: (work: () => Promise<void>) => void closings.unshift(work) };

    before(async () => {
      const { front, back } = await bundleMembers(ends, ['front', 'back']);
      members = [
        moduleRevision('front', front!, { env: { OWN: 'of front', FRONT: 'yes' } }),
        moduleRevision('back', back!, { env: { OWN: 'of back', BACK: 'yes' }, calls: ['front', 'other'] }),
        moduleRevision('slow', back!, { timeoutMs: SLOW_MS }),
        moduleRevision('strict', back!, { calls: ['back'] }),
      ];
      caller = new GroupCaller(members);
      const publisher = {
        publish: async (from: string | null, orders: readonly EventOrder[]): Promise<Published[]> => {
          published.push({ from, orders });
          return [{ id: 'e_1', duplicate: false }];
        },
      };
      bench = await Bench.open(ends, create, {
        caller,
        publisher,
        calls: { record: (call) => records.push(call) },
      });
      group = await bench.startGroup(members);
      for (const { spec } of members) caller.put(spec.name, group);
      const between = new GroupCaller(members);
      const alone = await Bench.open(ends, create, { caller: between });
      const instances = new Map<string, Instance>();
      // `front` calls `back` when it begins.
      for (const revision of [members[1]!, members[2]!, members[0]!, members[3]!]) {
        const instance = await alone.startRevision(revision);
        between.put(revision.spec.name, instance);
        instances.set(revision.spec.name, instance);
      }
      apart = { caller: between, front: instances.get('front')!, log: alone.log };
      for (const [name, instance] of instances) between.put(name, instance);
    });

    after(async () => {
      for (const close of closings) await close();
    });

    const context = (component: string, more: Partial<InvocationContext> = {}): InvocationContext => ({
      ...new TestInvocation('r_group').context,
      component,
      ...more,
    });
    const invoke = (
      component: string,
      name: string,
      args: unknown[] = [],
      more: Partial<InvocationContext> = {},
    ): Promise<InvocationResult> =>
      group.invoke({ kind: 'call', function: name, args: json(args) }, context(component, more));
    const value = async (component: string, name: string, ...args: unknown[]): Promise<unknown> =>
      valueOf(await invoke(component, name, args));

    test('each member’s handlers and functions are listed', () => {
      const { functions, ...front } = group.handlersOf('front')!;
      assert.deepEqual(front, {
        fetch: true,
        scheduled: false,
        queue: false,
        websocket: false,
        idempotent: [],
      });
      assert.ok(functions.includes('askWith'));
      const back = group.handlersOf('back')!;
      assert.deepEqual(
        [back.fetch, back.queue, back.websocket, back.idempotent],
        [false, true, true, ['count']],
      );
      assert.ok(!back.functions.includes('hidden'));
      assert.equal(group.handlersOf('core'), null);
      assert.equal(group.handlersOf('toString'), null);
    });

    test('each has variables of its own, and the process those of all', async () => {
      assert.equal((await bench.log.until(/^front has/)).text, 'front has of front at load');
      assert.deepEqual(await value('front', 'variables'), ['of back', 'yes', 'yes']);
      const batch = json({ messages: [{ id: 'e_1' }] });
      await group.invoke({ kind: 'queue', batch }, context('back'));
      assert.equal((await bench.log.until(/^1 for/)).text, '1 for back with of back');
    });

    test('a file that two import is another for each', async () => {
      const counts = [
        await value('front', 'count'),
        await value('front', 'count'),
        await value('back', 'count'),
      ];
      assert.deepEqual(counts, [1, 2, 1]);
      // The same bundle, as another member.
      assert.equal(await value('slow', 'count'), 1);
    });

    test('a line is of whoever says it', async () => {
      await value('front', 'ask', 'back', 'say', 'said by a callee');
      await value('back', 'say', 'said by itself');
      const of = async (pattern: RegExp): Promise<unknown[]> => {
        const { component, requestId, instance } = await bench.log.until(pattern);
        return [component, requestId, instance === group.id || instance === null];
      };
      assert.deepEqual(await of(/^said by a callee$/), ['back', 'r_group', true]);
      assert.deepEqual(await of(/^said by itself$/), ['back', 'r_group', true]);
      assert.deepEqual(await of(/^front is loaded$/), ['front', null, true]);
      assert.deepEqual(await of(/^back begins$/), ['back', null, true]);
    });

    test('who is called while another begins has begun before', async () => {
      assert.equal(await value('front', 'startedWith'), 'begun');
    });

    test('a request, a tick and events reach the member that they are for', async () => {
      const invocation = new TestInvocation('r_http');
      Object.assign(invocation.context, { component: 'front' });
      const answer = ask(group, '/path', { invocation });
      assert.deepEqual(await answer.json(), ['front', 'r_http', ['back', 'r_http'], '/path']);
      const missing = new TestInvocation();
      Object.assign(missing.context, { component: 'back' });
      assert.equal((await ask(group, '/', { invocation: missing }).outcome).error!.code, 'handler-missing');
      await group.invoke({ kind: 'scheduled', event: json({}) }, context('back'));
      assert.equal((await bench.log.until(/^tick of/)).text, 'tick of back');
      const tick = await group.invoke({ kind: 'scheduled', event: json({}) }, context('front'));
      assert.equal(tick.error!.code, 'handler-missing');
    });

    test('a WebSocket is asked for of the member that it is for', async () => {
      const asked = async (component: string): Promise<[string, string | undefined]> => {
        const [client, socket] = duplexPair();
        const headers = ['Connection', 'Upgrade', 'Upgrade', 'websocket'];
        const head = { method: 'GET', url: 'http://shop.example/ws', target: '/ws', headers };
        const answer = text(client).catch(() => '');
        const request = { context: context(component), head, socket, early: new Uint8Array() };
        const { error } = await group.upgrade(request);
        socket.destroy();
        socket.end();
        client.destroy();
        return [error === null ? (await answer).split('\r\n')[0]! : '', error?.code];
      };
      assert.deepEqual(await asked('back'), ['HTTP/1.1 403 Forbidden', undefined]);
      assert.deepEqual(await asked('front'), ['', 'upgrade-unsupported']);
    });

    test('what it does not hold it is not asked for', async () => {
      const { outcome, error } = await invoke('other', 'count');
      assert.deepEqual([outcome, error!.code], ['refused', 'internal']);
      assert.match(error!.message, /group "core" .* "other"/);
    });

    test('a call within the process ends as one over the wire does', async (t) => {
      const cases: readonly [string, unknown[], Partial<InvocationContext>?][] = [
        ['ask', ['back', 'giveBack', { a: [1, null, 'x'] }]],
        ['ask', ['back', 'giveBack']],
        ...['date', 'map', 'set', 'bytes', 'cycle', 'error', 'class'].map(
          (what) => ['askWith', [what]] as const,
        ),
        ...['function', 'symbol', 'promise'].map((what) => ['askWith', [what]] as const),
        ['ask', ['back', 'notCloneable']],
        ['ask', ['back', 'authorFails']],
        ['ask', ['back', 'authorFailsAtOnce']],
        ['ask', ['back', 'throwsText']],
        ['ask', ['back', 'throwsNothing']],
        ['ask', ['back', 'nope']],
        ['ask', ['back', 'hidden']],
        ['ask', ['back', 'toString']],
        ['ask', ['backk', 'count']],
        ['ask', ['slow', 'never']],
        // Each of several things is wrong with it: the same one is told.
        ['ask', ['back', 'further', 'slow', 'nope']],
        ['ask', ['strict', 'further', 'front', 'nope']],
        ['ask', ['back', 'further', 'front', 'nope']],
        ['ask', ['back', 'comeBack']],
        ['ask', ['back', 'deeper'], { call: LONG }],
        ['ask', ['back', 'deeper'], { call: chainWith(LONG, [{ component: 'far', function: null }]) }],
        ['ask', ['back', 'count'], { call: chainWith(null, [{ component: 'back', function: 'count' }]) }],
        ['ask', ['front', 'ask', 'back', 'giveBack', 1]],
        ['copies', []],
        ['streams', []],
        ['signals', []],
        ['forgets', []],
        // With what is around them the first are arguments of 10 MB, the last a result of one byte more.
        ...[0, 1, 3].map((more) => ['asLarge', [MOST_LETTERS + more]] as const),
      ] as readonly [string, unknown[], Partial<InvocationContext>?][];
      for (const [name, args, more] of cases) {
        await t.test(`${name} ${args.join(' ')}`, async () => {
          const invocation = { kind: 'call', function: name, args: json(args) } as const;
          for (const list of [caller.calls, caller.records, apart.caller.records, records]) list.length = 0;
          const joined = await group.invoke(invocation, context('front', more));
          const parted = await apart.front.invoke(invocation, context('front', more));
          await apart.caller.whenOver();
          assert.deepEqual(valueOf(joined), valueOf(parted));
          assert.deepEqual(
            [...records, ...caller.records].map(whatHappened),
            apart.caller.records.map(whatHappened),
          );
          const outside = args.includes('backk') ? ['backk'] : [];
          assert.deepEqual(
            caller.calls.map(({ to }) => to),
            outside,
          );
        });
      }
    });

    test('calls within the process are told, with who called whom and how that ended', async () => {
      records.length = 0;
      await value('front', 'ask', 'back', 'deeper');
      await value('front', 'ask', 'back', 'nope');
      await value('back', 'count');
      const told = records.map(({ span, parentSpan, atMs, durationMs, ...rest }) => {
        assert.match(span, /^[0-9a-f]{16}$/);
        assert.ok(Date.now() - atMs < 60_000 && durationMs >= 0 && durationMs < 60_000);
        return { ...rest, below: parentSpan };
      });
      const [inner, outer] = records;
      const common = { way: 'in-process', requestId: 'r_group', attempts: 1 } as const;
      const root = TRACEPARENT.slice(36, 52);
      assert.deepEqual(told, [
        {
          ...common,
          from: 'back',
          to: 'front',
          function: 'one',
          outcome: 'ok',
          code: null,
          depth: 2,
          below: outer!.span,
        },
        {
          ...common,
          from: 'front',
          to: 'back',
          function: 'deeper',
          outcome: 'ok',
          code: null,
          depth: 1,
          below: root,
        },
        {
          ...{ ...common, from: 'front', to: 'back', function: 'nope' },
          ...{ outcome: 'handler-error', code: 'call-unknown-function', depth: 1, below: root },
        },
      ]);
      assert.notEqual(inner!.span, outer!.span);
    });

    test('whoever is called in the process hears that the invocation is given up, and so does its caller', async () => {
      const invocation = new TestInvocation('r_gone');
      const running = group.invoke(
        { kind: 'call', function: 'ask', args: json(['back', 'never', 'left']) },
        { ...invocation.context, component: 'front' },
      );
      await bench.log.until(/^left begins$/);
      invocation.abort('client-gone');
      assert.deepEqual([(await running).outcome, (await running).error!.code], ['cancelled', 'client-gone']);
      const line = await bench.log.until(/^left aborted: AbortError, time left$/);
      assert.deepEqual([line.component, line.requestId], ['back', 'r_gone']);
    });

    test('whoever takes longer than its own time allows hears of it', async () => {
      assert.match((await value('front', 'ask', 'slow', 'never', 'slow one')) as string, /within 400 ms/);
      assert.equal((await bench.log.until(/^slow one aborted: TimeoutError/)).component, 'slow');
    });

    test('whoever calls when its own time is up is told so, in a process and over the wire', async () => {
      const invocation = { kind: 'call', function: 'ask', args: json(['slow', 'tooLate']) } as const;
      await Promise.all([group, apart.front].map((front) => front.invoke(invocation, context('front'))));
      const lines = await Promise.all([bench, apart].map(({ log }) => log.until(/^too late: /)));
      const [joined, parted] = lines.map(({ text }) => text);
      assert.match(joined!, /code: 'timeout'/);
      assert.match(
        joined!,
        /"front" failed when "slow" called it \(request r_group\): the time of "slow" itself was up already\./,
      );
      assert.equal(joined, parted);
    });

    test('what a callee has begun keeps the invocation open, awaited or not', async () => {
      for (const [name, args] of [
        ['ask', ['back', 'waitsUntil']],
        ['letGo', []],
      ] as const) {
        let over = false;
        const running = invoke('front', name, [...args]).finally(() => (over = true));
        // Its answer is there by then, and it is not over.
        while ((await value('front', 'ask', 'back', 'goOn')) !== 'never' && !over)
          if (bench.log.entries.some(({ text }) => text === 'late word')) break;
        assert.equal((await running).outcome, 'ok');
        assert.equal(
          bench.log.entries.filter(({ text }) => text === 'late word').length,
          name === 'ask' ? 1 : 2,
        );
      }
    });

    test('calls of members that are to go by the server do, until they are not any more', async () => {
      caller.calls.length = 0;
      group.callThroughServer(['back']);
      assert.match((await value('front', 'ask', 'back', 'giveBack', 5)) as string, /value: 5/);
      await value('front', 'ask', 'front', 'one');
      assert.deepEqual(
        caller.calls.map(({ from, to }) => [from, to]),
        [['front', 'back']],
      );
      group.callThroughServer([]);
      await value('front', 'ask', 'back', 'giveBack', 5);
      assert.equal(caller.calls.length, 1);
    });

    test('what a callee asks the server for comes from where it is', async () => {
      caller.calls.length = 0;
      const invocation = new TestInvocation('r_wire', 5_000);
      const before: InvocationContext = { ...invocation.context, component: 'front' };
      const args = json(['slow', 'further', 'elsewhere', 'f']);
      const result = await group.invoke({ kind: 'call', function: 'ask', args }, before);
      assert.match(valueOf(result) as string, /call-unknown-component/);
      const [{ from, parent }] = caller.calls as [(typeof caller.calls)[0]];
      assert.deepEqual([from, parent.component, parent.requestId], ['slow', 'slow', 'r_wire']);
      assert.deepEqual(pathOf(parent.call), [{ component: 'slow', function: 'further' }]);
      assert.ok(parent.deadlineMs < before.deadlineMs);
      assert.equal(parent.traceparent.slice(0, 36), TRACEPARENT.slice(0, 36));
      assert.notEqual(parent.traceparent, TRACEPARENT);
      assert.equal(
        records.findLast(({ function: name }) => name === 'further')!.span,
        parent.traceparent.slice(36, 52),
      );
      assert.equal(parent.signal, before.signal);
    });

    test('an event is published by the member that publishes it', async () => {
      await value('front', 'ask', 'back', 'publishes');
      assert.deepEqual(
        published.map(({ from, orders }) => [from, orders[0]!.type]),
        [['back', 'order.paid']],
      );
    });

    test('thousands of calls at a time come to their ends, and are told', async () => {
      records.length = 0;
      const given = (await value('front', 'many', 3_000)) as number[];
      assert.deepEqual([given.length, given.at(-1)], [3_000, 2_999]);
      await value('back', 'count');
      assert.equal(records.length, 3_000);
    });

    test('a member that cannot be loaded, or fails as it begins, is named', async (t) => {
      const own = await Bench.open(t, create);
      for (const [fixture, pattern] of [
        ['throws', /Group "core" could not be started: its component "bad": /],
        ['rejects', /Group "core" could not be started: its component "bad": /],
      ] as const) {
        const { front } = await bundleMembers(t, ['front']);
        const bad = moduleRevision('bad', new URL(`../fixtures/${fixture}.mjs`, import.meta.url).pathname);
        await assert.rejects(own.startGroup([moduleRevision('front', front!), bad]), {
          code: 'start-failed',
          message: pattern,
        });
      }
    });
  });
}

/** Of a call, as it is the same wherever that was made. */
function whatHappened({ from, to, function: name, outcome, code, depth, requestId }: CallRecord): unknown {
  return { from, to, name, outcome, code, depth, requestId };
}
