import assert from 'node:assert/strict';
import { COUNTED, KEPT_ATTEMPTS, type WorkRecord } from '../../../src/model/event-store.ts';
import { again, attemptOf, dead, DONE, EventUser, newWork, settlementOf } from './support/event-things.ts';
import { hasCode } from './support/has-code.ts';
import { checksOf, type StoreUnderTest } from './support/store-under-test.ts';
import { newApp, NOW_MS } from './support/things.ts';

const ALL = { app: 'shop' };

/** What every store of events must do. */
export function eventsSuite(subject: StoreUnderTest): void {
  const check = checksOf(subject);

  check('events: one is delivered as it was published, to each of its components', async ({ events }) => {
    const user = new EventUser(events);
    const data = Uint8Array.from({ length: 3_000 }, (_, i) => i % 256);
    const work = newWork('e1', {
      ...{ components: ['receipts', 'stock'], kind: 'request', type: 'POST /x', subject: 'näive \u{1f6d2}' },
      ...{ key: 'order-7', timeMs: NOW_MS - 5, contentType: 'image/png', attributes: '{"a":1}', data },
    });
    assert.deepEqual(await user.publish(work), [{ id: 'e1', duplicate: false, leased: [] }]);
    // The caller's bytes are the caller's again.
    const sent = Uint8Array.from(data);
    data.fill(0);
    const wanted = {
      ...{ app: 'shop', id: 'e1', kind: 'request', type: 'POST /x', source: '/components/checkout' },
      ...{ subject: 'näive \u{1f6d2}', key: 'order-7', timeMs: NOW_MS - 5, contentType: 'image/png' },
      ...{ attributes: '{"a":1}', dataBytes: 3_000, publishedAtMs: NOW_MS, dueAtMs: NOW_MS, attempts: [] },
    };
    assert.deepEqual(await user.lease(), [
      { ...wanted, component: 'receipts', state: 'leased', attempt: 1, data: sent },
    ]);
    assert.deepEqual(await events.get('shop', 'e1'), [
      { ...wanted, component: 'receipts', state: 'leased', attempt: 1, data: sent },
      { ...wanted, component: 'stock', state: 'ready', attempt: 0, data: sent },
    ]);
    assert.deepEqual(await events.get('shop', 'e2'), []);
    const one = { app: 'shop', component: 'receipts', id: 'e1', attempt: 1 };
    assert.deepEqual(await user.settle(settlementOf(one)), [true]);
    assert.deepEqual(
      (await events.get('shop', 'e1')).map(({ component }) => component),
      ['stock'],
    );
  });

  check(
    'events: a settlement counts only once, for the node and the attempt that it is of',
    async (store) => {
      const [one, two] = [new EventUser(store.events), new EventUser(store.events, 'n2')];
      await one.publish(newWork('e1'));
      const [delivery] = await one.lease();
      assert.deepEqual(await two.settle(settlementOf(delivery!)), [false]);
      assert.deepEqual(await one.settle(settlementOf({ ...delivery!, attempt: 2 })), [false]);
      assert.deepEqual(await one.settle(settlementOf({ ...delivery!, component: 'stock' })), [false]);
      assert.deepEqual(
        await one.settle(
          settlementOf({ ...delivery!, attempt: 2 }),
          settlementOf(delivery!),
          settlementOf(delivery!),
        ),
        [false, true, false],
      );
      assert.deepEqual(await one.settle(settlementOf(delivery!)), [false]);
      assert.equal(await store.events.count(ALL), 0);
    },
  );

  check('events: who publishes has it at once where nothing of its key is in the way', async ({ events }) => {
    const user = new EventUser(events);
    const both = { components: ['receipts', 'stock'], leaseFor: ['receipts'] };
    const kept = await user.publish(
      newWork('a', both),
      newWork('b', { ...both, key: 'k' }),
      newWork('c', { ...both, key: 'k' }),
      newWork('d', { leaseFor: ['receipts'], dueAtMs: NOW_MS + 1 }),
    );
    assert.deepEqual(
      kept.map(({ leased }) => leased),
      [['receipts'], ['receipts'], [], []],
    );
    assert.deepEqual(await user.states(), { a: 'leased', b: 'leased', c: 'blocked', d: 'delayed' });
    assert.deepEqual(await user.states('stock'), { a: 'ready', b: 'ready', c: 'blocked' });
    const settled = ['a', 'b'].map((id) => settlementOf({ ...ALL, component: 'receipts', id, attempt: 1 }));
    // What is freed is free for what waits already.
    const { published } = await user.commitAt(NOW_MS, {
      settle: settled,
      publish: [newWork('e', { ...both, key: 'k' }), newWork('f', { ...both, key: 'other' })],
    });
    assert.deepEqual(
      published.map(({ leased }) => leased),
      [[], ['receipts']],
    );
    assert.deepEqual(await user.states(), {
      ...{ c: 'ready', d: 'delayed', e: 'blocked', f: 'leased' },
    });
  });

  check(
    'events: of a key one at a time, in the order of publication, whatever becomes of it',
    async (store) => {
      const user = new EventUser(store.events);
      for (const id of ['5', '3', '1', '4', '2']) await user.publish(newWork(id, { key: 'k' }));
      await user.publish(newWork('x', { key: 'other' }), newWork('y'));
      assert.deepEqual(new Set(await user.leaseIds()), new Set(['5', 'x', 'y']));
      assert.deepEqual(await user.leaseIds(), []);
      const head = (id: string, attempt = 1): Parameters<typeof settlementOf>[0] => ({
        ...{ app: 'shop', component: 'receipts', id, attempt },
      });
      // To be tried again: the others wait behind it.
      await user.settle(settlementOf(head('5'), again(NOW_MS + 100)));
      assert.deepEqual(await user.leaseIds({ nowMs: NOW_MS + 99 }), []);
      assert.deepEqual(await user.leaseIds({ nowMs: NOW_MS + 100 }), ['5']);
      await user.settle(settlementOf(head('5', 2), dead()));
      assert.deepEqual(await user.leaseIds(), ['3']);
      // Given another chance, it is the oldest of those that wait.
      assert.equal(await store.events.retry({ ...ALL, state: 'dead' }, NOW_MS, 10), 1);
      assert.deepEqual(await user.states(), {
        ...{ 1: 'blocked', 2: 'blocked', 3: 'leased', 4: 'blocked', 5: 'blocked', x: 'leased', y: 'leased' },
      });
      await user.settle(settlementOf(head('3')));
      assert.deepEqual(await user.leaseIds(), ['5']);
      await user.settle(settlementOf(head('5')));
      assert.equal(await store.events.drop({ ...ALL, ids: ['1'] }, 10), 1);
      assert.deepEqual(await user.leaseIds(), ['4']);
      await user.settle(settlementOf(head('4')));
      assert.deepEqual(await user.leaseIds(), ['2']);
    },
  );

  check('events: what is delayed comes when it is due, behind what its key has then', async ({ events }) => {
    const user = new EventUser(events);
    const at = (ms: number): { dueAtMs: number } => ({ dueAtMs: NOW_MS + ms });
    await user.publish(
      newWork('late', { ...at(20), key: 'k' }),
      newWork('early', { ...at(10), key: 'k' }),
      newWork('free', at(10)),
      newWork('now', { key: 'k' }),
    );
    assert.deepEqual(await user.leaseIds({ nowMs: NOW_MS + 9 }), ['now']);
    const [backlog] = await events.backlog('shop', NOW_MS + 9);
    assert.deepEqual([backlog!.ready, backlog!.delayed, backlog!.nextDueAtMs], [0, 3, NOW_MS + 10]);
    const due = (await events.backlog('shop', NOW_MS + 15))[0]!;
    assert.deepEqual([due.ready, due.delayed, due.oldestDueAtMs], [2, 1, NOW_MS + 10]);
    assert.deepEqual(await user.leaseIds({ nowMs: NOW_MS + 20 }), ['free']);
    assert.deepEqual(await user.states(), {
      early: 'blocked',
      free: 'leased',
      late: 'blocked',
      now: 'leased',
    });
    for (const id of ['now', 'early', 'late']) {
      await user.settle(settlementOf({ ...ALL, component: 'receipts', id, attempt: 1 }));
      const next = id === 'now' ? ['early'] : id === 'early' ? ['late'] : [];
      assert.deepEqual(await user.leaseIds({ nowMs: NOW_MS + 20 }), next);
    }
  });

  check('events: what is leased is bounded by rows, by bytes and over all nodes', async ({ events }) => {
    const [one, two] = [new EventUser(events), new EventUser(events, 'n2')];
    const data = new Uint8Array(100);
    for (let i = 0; i < 9; i++) await one.publish(newWork(`e${i}`, { data, publishedAtMs: NOW_MS + i }));
    const nowMs = NOW_MS + 100;
    assert.deepEqual(await one.leaseIds({ nowMs, limit: 2 }), ['e0', 'e1']);
    assert.deepEqual(await one.leaseIds({ nowMs, maxBytes: 250 }), ['e2', 'e3']);
    assert.deepEqual(await two.leaseIds({ nowMs, maxBytes: 1 }), ['e4']);
    assert.deepEqual(await two.leaseIds({ nowMs, mostLeased: 5 }), []);
    assert.deepEqual(await two.leaseIds({ nowMs, mostLeased: 7 }), ['e5', 'e6']);
    assert.deepEqual(await two.leaseIds({ nowMs: NOW_MS + 7, limit: 9 }), ['e7']);
  });

  check('events: the attempts that went wrong are kept, the latest of many', async ({ events }) => {
    const user = new EventUser(events);
    await user.publish(newWork('e1'));
    for (let number = 1; number <= KEPT_ATTEMPTS + 3; number++) {
      const [delivery] = await user.lease();
      assert.equal(delivery!.attempt, number);
      const outcome = { as: 'again' as const, dueAtMs: NOW_MS, counts: true, attempt: attemptOf(number) };
      await user.settle(settlementOf(delivery!, outcome));
    }
    const [delivery] = await user.lease();
    assert.deepEqual(
      delivery!.attempts.map(({ number }) => number),
      Array.from({ length: KEPT_ATTEMPTS }, (_, i) => i + 4),
    );
    assert.deepEqual(delivery!.attempts[0], attemptOf(4));
    // Nothing was wrong with it: not counted, and nothing to tell.
    await user.settle(
      settlementOf(delivery!, { as: 'again', dueAtMs: NOW_MS, counts: false, attempt: null }),
    );
    const [same] = await user.lease();
    assert.deepEqual([same!.attempt, same!.attempts.length], [delivery!.attempt, KEPT_ATTEMPTS]);
    await user.settle(settlementOf(same!, dead(NOW_MS + 7)));
    const [record] = await events.list(ALL, null, 10);
    assert.deepEqual([record!.state, record!.dueAtMs, record!.attempt], ['dead', NOW_MS + 7, same!.attempt]);
    assert.equal(record!.attempts.at(-1)!.error.message, 'no "ink" \u{1f5a8}');
    assert.equal(await events.retry(ALL, NOW_MS + 1, 10), 1);
    assert.deepEqual(
      (await events.list(ALL, null, 10)).map(({ state, attempt, dueAtMs }) => [state, attempt, dueAtMs]),
      [['ready', 0, NOW_MS + 1]],
    );
  });

  check('events: a second one of a dedupe key is not kept until its time is over', async ({ events }) => {
    const user = new EventUser(events);
    const dedupe = (key: string, untilMs = NOW_MS + 50): object => ({ dedupe: { key, untilMs } });
    assert.deepEqual(
      (
        await user.publish(
          newWork('1', dedupe('a')),
          newWork('2', dedupe('a')),
          newWork('3', { ...dedupe('a'), app: 'other' }),
          newWork('4', dedupe('b\0\ud800')),
          newWork('5', dedupe('b\0\ud800')),
        )
      ).map(({ id, duplicate }) => [id, duplicate]),
      [
        ['1', false],
        ['1', true],
        ['3', false],
        ['4', false],
        ['4', true],
      ],
    );
    const later = async (id: string, nowMs: number): Promise<unknown> =>
      (
        await user.commitAt(nowMs, {
          publish: [newWork(id, { ...dedupe('a', nowMs + 50), leaseFor: ['receipts'] })],
        })
      ).published[0];
    assert.deepEqual(await later('6', NOW_MS + 49), { id: '1', duplicate: true, leased: [] });
    assert.deepEqual(await later('7', NOW_MS + 50), { id: '7', duplicate: false, leased: ['receipts'] });
    assert.deepEqual(await later('8', NOW_MS + 99), { id: '7', duplicate: true, leased: [] });
    // What has been delivered long ago is a duplicate still.
    await user.settle(settlementOf({ ...ALL, component: 'receipts', id: '7', attempt: 1 }));
    assert.deepEqual(await later('9', NOW_MS + 99), { id: '7', duplicate: true, leased: [] });
  });

  check('events: one that is there already, by its id, stays as it is', async ({ events }) => {
    const user = new EventUser(events);
    const work = newWork('e1', { key: 'k', leaseFor: ['receipts'] });
    await user.publish(work);
    assert.deepEqual(await user.publish(work, newWork('e2'), newWork('e2')), [
      { id: 'e1', duplicate: true, leased: [] },
      { id: 'e2', duplicate: false, leased: [] },
      { id: 'e2', duplicate: true, leased: [] },
    ]);
    assert.deepEqual(await user.states(), { e1: 'leased', e2: 'ready' });
    // Not looked for where it was made for the commit: that would be a mistake of ours, and keeps nothing.
    const mistaken = [newWork('e3', { isIdFresh: true }), newWork('e2', { isIdFresh: true })];
    await assert.rejects(user.publish(...mistaken), hasCode('store-failed'));
    assert.deepEqual(await events.get('shop', 'e3'), []);
  });

  check('events: what a node had that is gone is ready again; what lives keeps it', async ({ events }) => {
    const [one, two] = [new EventUser(events), new EventUser(events, 'n2')];
    await events.beat('n1', NOW_MS + 10);
    await events.beat('n2', NOW_MS + 20);
    await one.publish(newWork('a', { key: 'k' }), newWork('b', { key: 'k' }));
    const [delivery] = await one.lease();
    await two.publish(newWork('c', { leaseFor: ['receipts'] }));
    const [first, second] = [
      { node: 'n1', aliveUntilMs: NOW_MS + 10 },
      { node: 'n2', aliveUntilMs: NOW_MS + 20 },
    ];
    assert.deepEqual(
      (await events.nodes()).toSorted((a, b) => (a.node < b.node ? -1 : 1)),
      [first, second],
    );
    assert.equal(await events.reclaim([]), 0);
    assert.equal(await events.reclaim([first]), 1);
    assert.deepEqual(await one.states(), { a: 'ready', b: 'blocked', c: 'leased' });
    assert.deepEqual(await one.settle(settlementOf(delivery!)), [false]);
    const [again] = await two.lease();
    assert.deepEqual([again!.id, again!.attempt], ['a', 2]);
    // A beat that comes in time is all that it takes.
    await events.beat('n2', NOW_MS + 40);
    assert.equal(await events.reclaim([second]), 0);
    assert.equal(await events.reclaim({ allBut: 'n2' }), 0);
    assert.equal(await events.reclaim({ allBut: 'n3' }), 2);
    assert.deepEqual(await events.nodes(), []);
  });

  check('events: much that was lost comes back by steps', async ({ events }) => {
    const user = new EventUser(events);
    const works = Array.from({ length: 1_100 }, (_, i) => newWork(`e${i}`, { leaseFor: ['receipts'] }));
    await user.publish(...works);
    // Of a node that has never said that it lives nothing holds.
    const nodes = await events.nodes();
    assert.deepEqual(nodes, [{ node: 'n1', aliveUntilMs: null }]);
    assert.equal(await events.reclaim(nodes), 1_100);
    assert.equal((await user.lease({ limit: 2_000 })).length, 1_100);
  });

  check(
    'events: the backlog tells of each component; what nobody takes is under none',
    async ({ events }) => {
      const user = new EventUser(events);
      const paid = { components: ['receipts', 'stock'] };
      await user.publish(
        newWork('a', { ...paid, key: 'k', publishedAtMs: NOW_MS - 3 }),
        newWork('b', { ...paid, key: 'k', publishedAtMs: NOW_MS - 2 }),
        newWork('c', { ...paid, publishedAtMs: NOW_MS - 1 }),
        newWork('d', { components: [] }),
        newWork('e', { components: ['mail'], dueAtMs: NOW_MS + 5 }),
        newWork('f', { app: 'other' }),
      );
      const [first] = await user.lease({ limit: 1 });
      const none = {
        ready: 0,
        oldestDueAtMs: null,
        nextDueAtMs: null,
        leased: 0,
        blocked: 0,
        delayed: 0,
        dead: 0,
      };
      assert.deepEqual(await events.backlog('shop', NOW_MS), [
        { ...none, component: '', blocked: 1 },
        { ...none, component: 'mail', delayed: 1, nextDueAtMs: NOW_MS + 5 },
        { ...none, component: 'receipts', ready: 1, oldestDueAtMs: NOW_MS - 1, leased: 1, blocked: 1 },
        { ...none, component: 'stock', ready: 2, oldestDueAtMs: NOW_MS - 3, blocked: 1 },
      ]);
      await user.settle(settlementOf(first!, dead()));
      const [next] = await user.lease({ limit: 1 });
      await user.settle(settlementOf(next!, again(NOW_MS + 9)));
      assert.deepEqual((await events.backlog('shop', NOW_MS))[2], {
        ...{ ...none, component: 'receipts', ready: 1, oldestDueAtMs: NOW_MS - 1 },
        ...{ nextDueAtMs: NOW_MS + 9, delayed: 1, dead: 1 },
      });
      assert.deepEqual(await events.backlog('none', NOW_MS), []);
    },
  );

  check('events: lists go by pages, the newest first, and give what the filter says', async ({ events }) => {
    const user = new EventUser(events);
    const works = Array.from({ length: 60 }, (_, i) =>
      newWork(`e${String(i).padStart(2, '0')}`, {
        components: i % 10 === 0 ? [] : i % 2 === 0 ? ['receipts', 'stock'] : ['receipts'],
        type: i % 3 === 0 ? 'order.paid' : 'order.sent',
        key: i % 7 === 0 ? 'seven' : null,
        // Several have the same time.
        publishedAtMs: NOW_MS + (i >> 3),
      }),
    );
    await user.publish(...works);
    const wanted = works
      .flatMap(({ components, ...work }) =>
        (components.length === 0 ? [''] : components).map((component) => ({ ...work, component })),
      )
      .sort(
        (a, b) =>
          b.publishedAtMs - a.publishedAtMs ||
          (a.id < b.id ? 1 : a.id > b.id ? -1 : a.component < b.component ? 1 : -1),
      );
    const nameOf = ({ id, component }: { id: string; component: string }): string => `${id} ${component}`;
    const pages: WorkRecord[] = [];
    for (let before: WorkRecord | null = null; ;) {
      const page: readonly WorkRecord[] = await events.list(ALL, before, 7);
      pages.push(...page);
      if (page.length < 7) break;
      before = page.at(-1)!;
    }
    assert.deepEqual(pages.map(nameOf), wanted.map(nameOf));
    const cases: [object, (one: (typeof wanted)[number]) => boolean][] = [
      [{ component: 'stock' }, (one) => one.component === 'stock'],
      [{ component: '' }, (one) => one.component === ''],
      [{ type: 'order.paid' }, (one) => one.type === 'order.paid'],
      [{ key: 'seven', component: 'receipts' }, (one) => one.key === 'seven' && one.component === 'receipts'],
      [
        { ids: ['e01', 'e02', 'e03', 'no'], component: 'receipts' },
        (one) => ['e01', 'e02', 'e03'].includes(one.id) && one.component === 'receipts',
      ],
      [{ state: 'unmatched' }, (one) => one.component === ''],
      [{ state: 'dead' }, () => false],
    ];
    for (const [filter, fits] of cases) {
      const found = await events.list({ ...ALL, ...filter }, null, 1_000);
      assert.deepEqual(found.map(nameOf), wanted.filter(fits).map(nameOf), JSON.stringify(filter));
      assert.equal(await events.count({ ...ALL, ...filter }), found.length, JSON.stringify(filter));
    }
  });

  check('events: what nobody takes waits, until components do, in its order', async ({ events }) => {
    const user = new EventUser(events);
    await user.publish(
      newWork('a', { components: [], key: 'k', publishedAtMs: NOW_MS - 2 }),
      newWork('b', { components: [], key: 'k', publishedAtMs: NOW_MS - 1 }),
      newWork('c', { components: [] }),
      newWork('d', { components: [], type: 'order.sent' }),
    );
    assert.deepEqual(await events.unmatchedTypes('shop', 10), ['order.paid', 'order.sent']);
    assert.deepEqual(await events.unmatchedTypes('shop', 1), ['order.paid']);
    assert.deepEqual(await user.leaseIds({ component: '' }), [], 'nobody has what is for nobody');
    assert.equal(await events.match('shop', 'order.paid', ['receipts', 'stock'], NOW_MS, 2), 2);
    assert.equal(await events.match('shop', 'order.paid', ['receipts', 'stock'], NOW_MS, 10), 1);
    assert.deepEqual(await events.unmatchedTypes('shop', 10), ['order.sent']);
    assert.deepEqual(await user.states(), { a: 'ready', b: 'blocked', c: 'ready' });
    assert.deepEqual(await user.states('stock'), { a: 'ready', b: 'blocked', c: 'ready' });
    const [first] = await user.lease({ component: 'stock' });
    assert.equal(Buffer.from(first!.data).toString(), `{"id":"${first!.id}"}`);
    assert.equal(await events.redrive({ ...ALL, component: '' }, 'mail', NOW_MS, 10), 1);
    assert.deepEqual(await user.states('mail'), { d: 'ready' });
  });

  check(
    'events: dead ones can be given to another component, which takes them in their order',
    async (store) => {
      const { events } = store;
      const user = new EventUser(events);
      const two = { components: ['receipts', 'stock'] };
      await user.publish(newWork('has', { components: ['mail'], key: 'k' }));
      for (const id of ['1', '2', '3'])
        await user.publish(
          newWork(id, { ...(id === '3' ? two : {}), key: 'k', publishedAtMs: NOW_MS + Number(id) }),
        );
      for (const id of ['1', '2', '3']) {
        const [delivery] = await user.lease({ nowMs: NOW_MS + 10 });
        assert.equal(delivery!.id, id);
        await user.settle(settlementOf(delivery!, dead()));
      }
      assert.equal(await events.redrive({ ...ALL, component: 'receipts' }, 'mail', NOW_MS + 20, 2), 2);
      assert.deepEqual(await user.states('mail'), { 1: 'blocked', 2: 'blocked', has: 'ready' });
      // What has it already, keeps what it has.
      assert.equal(await events.redrive({ ...ALL, component: 'receipts' }, 'stock', NOW_MS + 20, 2), 0);
      assert.deepEqual(await user.states(), { 3: 'dead' });
      assert.equal(
        await events.redrive({ ...ALL, component: 'stock', state: 'ready' }, 'mail', NOW_MS, 10),
        1,
      );
      assert.equal(await events.redrive(ALL, 'receipts', NOW_MS + 20, 10), 1);
      assert.deepEqual(await user.states(), { 3: 'ready' });
      const order: string[] = [];
      for (;;) {
        const [delivery] = await user.lease({ component: 'mail', nowMs: NOW_MS + 20 });
        if (delivery === undefined) break;
        order.push(delivery.id);
        await user.settle(settlementOf(delivery));
      }
      assert.deepEqual(order, ['has', '1', '2', '3']);
    },
  );

  check(
    'events: much is retried, dropped and given away by steps, and no more than was asked',
    async (store) => {
      const { events } = store;
      const user = new EventUser(events);
      const count = 700;
      await user.publish(
        ...Array.from({ length: count }, (_, i) => newWork(`e${i}`, { leaseFor: ['receipts'] })),
      );
      await user.settle(
        ...Array.from({ length: count }, (_, i) =>
          settlementOf(
            { ...ALL, component: 'receipts', id: `e${i}`, attempt: 1 },
            i < 600 ? dead() : again(NOW_MS + 50),
          ),
        ),
      );
      assert.equal(await events.retry(ALL, NOW_MS, 350), 350);
      assert.equal((await events.backlog('shop', NOW_MS))[0]!.ready, 350);
      assert.equal(await events.redrive(ALL, 'mail', NOW_MS, 1_000), 250);
      assert.equal(await events.retry(ALL, NOW_MS, 1_000), 100);
      assert.equal(await events.drop({ ...ALL, component: 'mail' }, 200), 200);
      assert.equal(await events.drop({ ...ALL, type: 'none' }, 200), 0);
      await user.lease({ limit: 10 });
      assert.equal(await events.drop(ALL, 10_000), 490);
      assert.equal(await events.count({ ...ALL, state: 'leased' }), 10);
    },
  );

  check(
    'events: the outcome of asynchronous work is kept until it is to be forgotten',
    async ({ events }) => {
      const user = new EventUser(events);
      const later = { kind: 'call' as const, type: 'call:sum', answerUntilMs: NOW_MS + 100 };
      await user.publish(newWork('a', later), newWork('b', later), newWork('c', later), newWork('d'));
      const waiting = {
        ...{ app: 'shop', id: 'a', component: 'receipts', kind: 'call', type: 'call:sum', state: 'waiting' },
        ...{ createdAtMs: NOW_MS, endedAtMs: null, forgetAtMs: NOW_MS + 100, answer: null },
      };
      assert.deepEqual(await events.answer('shop', 'a'), waiting);
      assert.equal(await events.answer('shop', 'd'), null);
      const deliveries = new Map((await user.lease()).map((one) => [one.id, one]));
      const good = {
        ...{ outcome: 'ok', status: 200, fields: '["a","b"]', contentType: 'text/plain' },
        ...{ data: Uint8Array.of(0, 255, 39, 92), error: null },
      };
      const bad = { ...good, outcome: 'error', data: new Uint8Array(), error: { code: 'x', message: 'm' } };
      await user.commitAt(NOW_MS + 5, {
        settle: [
          settlementOf(deliveries.get('a')!, { as: 'done', answer: good }),
          settlementOf(deliveries.get('b')!, { ...dead(), answer: bad } as never),
          settlementOf(deliveries.get('c')!, again(NOW_MS)),
        ],
      });
      const ended = { ...waiting, endedAtMs: NOW_MS + 5 };
      assert.deepEqual(await events.answer('shop', 'a'), { ...ended, state: 'done', answer: good });
      assert.deepEqual(await events.answer('shop', 'b'), { ...ended, id: 'b', state: 'failed', answer: bad });
      assert.equal((await events.answer('shop', 'c'))!.state, 'waiting');
      // Whoever tries it again waits again; whoever drops it will not know.
      await events.retry({ ...ALL, ids: ['b'] }, NOW_MS, 1);
      assert.deepEqual(await events.answer('shop', 'b'), { ...waiting, id: 'b' });
      await events.drop({ ...ALL, ids: ['b'] }, 1);
      assert.equal(await events.answer('shop', 'b'), null);
      await events.prune(NOW_MS + 99);
      assert.notEqual(await events.answer('shop', 'a'), null);
      await events.prune(NOW_MS + 100);
      assert.equal(await events.answer('shop', 'a'), null);
    },
  );

  check(
    'events: pruning forgets what is dead or unmatched when its time is over, and nothing else',
    async (store) => {
      const { events } = store;
      const user = new EventUser(events);
      const forgetAtMs = NOW_MS + 10;
      const many = Array.from({ length: 600 }, (_, i) => newWork(`u${i}`, { components: [], forgetAtMs }));
      await user.publish(...many, newWork('late', { components: [], forgetAtMs: forgetAtMs + 1 }));
      await user.publish(newWork('d', { leaseFor: ['receipts'], forgetAtMs }), newWork('r', { forgetAtMs }));
      await user.settle(
        settlementOf({ ...ALL, component: 'receipts', id: 'd', attempt: 1 }, dead(forgetAtMs)),
      );
      assert.equal(await events.prune(NOW_MS + 9), 0);
      assert.equal(await events.prune(NOW_MS + 10), 601);
      assert.deepEqual(
        (await events.list(ALL, null, 10)).map(({ id }) => id),
        ['r', 'late'],
      );
    },
  );

  check('events: counts stop where they are bounded', async ({ events }) => {
    const user = new EventUser(events);
    for (let i = 0; i < COUNTED; i += 5_000)
      await user.publish(...Array.from({ length: 5_010 }, (_, n) => newWork(`e${i + n * 1e6}`)));
    assert.equal(await events.count(ALL), COUNTED);
    assert.equal(await events.count({ ...ALL, type: 'order.paid' }), COUNTED);
    assert.equal((await events.backlog('shop', NOW_MS))[0]!.ready, COUNTED);
  });

  check('events: a settlement and a publication happen together or not at all', async (store) => {
    const user = new EventUser(store.events);
    await user.publish(newWork('a', { leaseFor: ['receipts'] }));
    const settle = [settlementOf({ ...ALL, component: 'receipts', id: 'a', attempt: 1 }, DONE)];
    const broken = newWork('b', { type: null as unknown as string });
    await assert.rejects(user.commitAt(NOW_MS, { settle, publish: [newWork('c'), broken] }));
    assert.deepEqual(await user.states(), { a: 'leased' });
  });

  check('events: an app that is removed takes its own along', async ({ apps, events }) => {
    const user = new EventUser(events);
    await apps.create(newApp());
    const fields = { answerUntilMs: NOW_MS + 1e6, dedupe: { key: 'd', untilMs: NOW_MS + 1e6 } };
    await user.publish(
      ...Array.from({ length: 600 }, (_, i) => newWork(`e${i}`)),
      newWork('a', fields),
      newWork('a', { ...fields, app: 'other' }),
    );
    await user.lease({ limit: 5 });
    await apps.remove('shop');
    assert.equal(await events.count(ALL), 0);
    assert.equal(await events.answer('shop', 'a'), null);
    assert.equal((await user.publish(newWork('again', fields)))[0]!.duplicate, false);
    assert.equal(await events.count({ app: 'other' }), 1);
    assert.notEqual(await events.answer('other', 'a'), null);
    await events.removeAll('other');
    assert.equal(await events.count({ app: 'other' }), 0);
  });
}
