import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLogger } from '../base/log.ts';
import type { EventChange, NewWork, Settlement } from '../model/event-store.ts';
import { Committer, LEAST_BESIDE, MOST_ROWS, MOST_UNDER_WAY } from './committer.ts';
import { LeaseHolder } from './lease-holder.ts';

function scene() {
  const clock = new FakeClock();
  const changes: EventChange[] = [];
  let gate = Promise.withResolvers<void>();
  const state = { failing: (_change: EventChange): boolean => false, isHeld: false };
  const store = {
    commit: async (change: EventChange) => {
      changes.push(change);
      if (state.isHeld) await gate.promise;
      if (state.failing(change)) throw new Error('database or disk is full');
      return {
        published: change.publish.map(({ id, leaseFor }) => ({ id, duplicate: false, leased: leaseFor })),
        settled: change.settle.map(({ id }) => id !== 'lost'),
      };
    },
    beat: async () => undefined,
    nodes: async () => [],
    reclaim: async () => 0,
  };
  const holder = new LeaseHolder({ store, clock, logger: silentLogger, reclaimed: () => undefined });
  const committer = new Committer({ store, holder, clock, logger: silentLogger });
  const letGo = async (): Promise<void> => {
    state.isHeld = false;
    gate.resolve();
    gate = Promise.withResolvers<void>();
    await clock.advance(0);
  };
  return { clock, changes, state, holder, committer, letGo };
}

const work = (id: string, o: Partial<NewWork> = {}): NewWork =>
  ({
    ...{ id, components: ['a'], data: Buffer.alloc(10), leaseFor: [], key: null, dedupe: null },
    ...o,
  }) as unknown as NewWork;
const many = (count: number, o: Partial<NewWork> = {}): NewWork[] =>
  Array.from({ length: count }, (_, i) => work(`m${i}`, o));
const settlement = (id: string): Settlement => ({
  ...{ app: 'x', component: 'a', id, attempt: 1, outcome: { as: 'done', answer: null } },
});
const sizes = (changes: readonly EventChange[]): number[][] =>
  changes.map(({ publish, settle }) => [publish.length, settle.length]);

describe('a group commit', () => {
  it('takes what comes while one runs together in the next', async () => {
    const { committer, changes, state, holder, letGo } = scene();
    state.isHeld = true;
    const first = committer.publish([work('1')]);
    await Promise.resolve();
    const others = [committer.publish([work('2'), work('3')]), committer.publish([work('4')])];
    const settled = [
      committer.settle(holder.id, settlement('5')),
      committer.settle(holder.id, settlement('lost')),
    ];
    await letGo();
    assert.deepEqual(sizes(changes), [
      [1, 0],
      [3, 2],
    ]);
    assert.equal((await first).kept[0]!.id, '1');
    assert.deepEqual(
      (await Promise.all(others)).map(({ kept }) => kept.map(({ id }) => id)),
      [['2', '3'], ['4']],
    );
    assert.deepEqual(await Promise.all(settled), [true, false]);
  });

  it('runs beside others where enough waits, and of those there are few', async () => {
    const { committer, changes, state, letGo } = scene();
    state.isHeld = true;
    void committer.publish([work('1')]);
    await Promise.resolve();
    void committer.publish(many(LEAST_BESIDE - 1));
    await Promise.resolve();
    assert.deepEqual(sizes(changes), [[1, 0]]);
    void committer.publish([work('2')]);
    await Promise.resolve();
    for (let i = 2; i <= MOST_UNDER_WAY; i++) {
      void committer.publish(many(LEAST_BESIDE));
      await Promise.resolve();
    }
    assert.deepEqual(sizes(changes), [
      [1, 0],
      ...Array.from({ length: MOST_UNDER_WAY - 1 }, () => [LEAST_BESIDE, 0]),
    ]);
    await letGo();
    assert.deepEqual(sizes(changes).slice(MOST_UNDER_WAY), [[LEAST_BESIDE, 0]]);
  });

  it('keeps what has a key, or a dedupe key, in the order in which it was published', async () => {
    const { committer, changes, state, holder, letGo } = scene();
    state.isHeld = true;
    void committer.publish([work('1', { key: 'k' })]);
    await Promise.resolve();
    const dedupe = { key: 'd', untilMs: 1 };
    void committer.publish(many(LEAST_BESIDE, { dedupe }));
    void committer.publish(many(LEAST_BESIDE));
    for (let i = 0; i < LEAST_BESIDE; i++) void committer.settle(holder.id, settlement(`s${i}`));
    await Promise.resolve();
    // What is settled goes; nothing is published past what waits for its turn.
    assert.deepEqual(sizes(changes), [
      [1, 0],
      [0, LEAST_BESIDE],
    ]);
    await letGo();
    assert.deepEqual(sizes(changes).slice(2), [[2 * LEAST_BESIDE, 0]]);
  });

  it('keeps the name that it leases by, though the one beside it fails meanwhile', async () => {
    const { committer, state, holder, letGo } = scene();
    const leaseFor = ['a'];
    state.isHeld = true;
    state.failing = ({ publish }) => publish.length === 1;
    const failed = committer.publish([work('1', { leaseFor })]);
    await Promise.resolve();
    const kept = committer.publish(many(LEAST_BESIDE, { leaseFor }));
    const held = kept.then(({ node }) => holder.hold(node, LEAST_BESIDE));
    const refused = assert.rejects(failed, { code: 'store-failed' });
    await letGo();
    await Promise.all([refused, held]);
    assert.equal(holder.held, LEAST_BESIDE);
    assert.notEqual((await kept).node, holder.id);
  });

  it('is bounded by rows and bytes, and what is published together stays together', async () => {
    const { committer, changes, state, letGo } = scene();
    state.isHeld = true;
    void committer.publish([work('0')]);
    await Promise.resolve();
    void committer.publish(Array.from({ length: MOST_ROWS - 1 }, (_, i) => work(`a${i}`)));
    void committer.publish([work('b1'), work('b2')]);
    void committer.publish([work('c', { data: Buffer.alloc(9 * 1024 ** 2) })]);
    await letGo();
    assert.deepEqual(sizes(changes), [
      [1, 0],
      [MOST_ROWS - 1, 0],
      [2, 0],
      [1, 0],
    ]);
  });

  it('refuses what is more than can wait', async () => {
    const { committer, state, letGo } = scene();
    state.isHeld = true;
    const large = (): Promise<unknown> =>
      committer.publish([work('l', { data: Buffer.alloc(20 * 1024 ** 2) })]);
    const kept = [large(), large(), large()];
    await assert.rejects(large(), {
      code: 'store-failed',
      message: /More is published than the store can write/,
    });
    await letGo();
    await Promise.all(kept);
    await large();
  });
});

describe('where the store fails', () => {
  it('whoever publishes is told, and what is settled goes when it is back', async () => {
    const { committer, clock, state, holder, changes } = scene();
    state.failing = () => true;
    const settled = committer.settle(holder.id, settlement('1'));
    await assert.rejects(committer.publish([work('2')]), {
      code: 'store-failed',
      status: 503,
      retryAfterS: 1,
    });
    assert.equal(committer.isFailing, true);
    await clock.advance(60_000);
    assert.ok(changes.length < 25, `${changes.length} tries in a minute`);
    state.failing = () => false;
    await clock.advance(5_000);
    assert.equal(await settled, true);
    assert.equal(committer.isFailing, false);
  });

  it('one settlement that it never takes keeps no other waiting', async () => {
    const { committer, clock, state, holder } = scene();
    state.failing = ({ settle }) => settle.some(({ id }) => id === 'bad');
    const done: string[] = [];
    for (const id of ['1', 'bad', '2', '3', '4', '5'])
      void committer.settle(holder.id, settlement(id)).then(() => done.push(id));
    await clock.advance(0);
    await clock.advance(60_000);
    assert.deepEqual(done.sort(), ['1', '2', '3', '4', '5']);
    await committer.close();
    assert.deepEqual(done.at(-1), 'bad');
    await assert.rejects(committer.publish([work('6')]), { code: 'shutting-down' });
  });

  it('leases by another name from then on, and settles by the one that it was leased by', async () => {
    const { committer, state, holder, changes } = scene();
    const before = holder.id;
    holder.hold(before, 1);
    state.failing = ({ publish }) => publish.length > 0;
    await assert.rejects(committer.publish([work('1', { leaseFor: ['a'] })]), { code: 'store-failed' });
    state.failing = () => false;
    assert.notEqual(holder.id, before);
    const [settled, published] = [committer.settle(before, settlement('0')), committer.publish([work('2')])];
    assert.equal((await published).node, holder.id);
    assert.equal(await settled, true);
    assert.deepEqual(
      changes.slice(1).map(({ node, settle }) => [node === before, settle.length]),
      [
        [false, 0],
        [true, 1],
      ],
    );
  });
});
