import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import { messageOf } from '../../../src/base/errors.ts';
import type { NewWork, Settlement, SettledAs } from '../../../src/model/event-store.ts';
import { EventOracle, lineOf } from './support/event-oracle.ts';
import { attemptOf, endedAt, newWork } from './support/event-things.ts';
import { postgresUnderTest } from './support/postgres-under-test.ts';
import { sqliteUnderTest } from './support/sqlite-under-test.ts';
import type { StoreUnderTest } from './support/store-under-test.ts';
import { NOW_MS } from './support/things.ts';

const STEPS = process.env['FULCRUM_FULL'] === undefined ? 300 : 3_000;
/** All that is kept is compared after so many changes; each change's own answer always. */
const COMPARED_AFTER = 3;
const NODES = ['n1', 'n2', 'n3'];
const COMPONENTS = ['receipts', 'stock', 'mail'];
const KEYS = [null, null, 'k1', 'k2', 'k3'];

for (const subject of [sqliteUnderTest, await postgresUnderTest()]) {
  void test(
    `${subject.name}: events: ${STEPS} random changes leave what the model of them says`,
    { skip: subject.skip ?? false },
    async () => {
      const seed = Number(process.env['FULCRUM_SEED'] ?? randomInt(2 ** 31));
      try {
        await compare(subject, seed);
      } catch (error) {
        throw new Error(`With FULCRUM_SEED=${seed}: ${messageOf(error)}`, { cause: error });
      }
    },
  );
}

async function compare(subject: StoreUnderTest, seed: number): Promise<void> {
  const random = randomOf(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const chance = (of: number): boolean => random() < of;
  const some = <T>(list: readonly T[], of: number): T[] => list.filter(() => chance(of));
  const { place, clear } = await subject.newPlace();
  const store = await subject.open(place);
  const { events } = store;
  const oracle = new EventOracle();
  let nowMs = NOW_MS;
  let ids = 0;
  /** Deliveries that somebody believes to have. */
  const under: { node: string; of: Omit<Settlement, 'outcome'> }[] = [];
  const said: string[] = [];

  const work = (): NewWork => {
    const components = chance(0.1) ? [] : some(COMPONENTS, 0.5);
    const delayed = chance(0.2);
    return newWork(`e${String(ids++).padStart(5, '0')}`, {
      components,
      type: pick(['order.paid', 'order.sent']),
      key: pick(KEYS),
      publishedAtMs: nowMs,
      dueAtMs: delayed ? nowMs + 1 + Math.floor(random() * 200) : nowMs,
      forgetAtMs: nowMs + 2_000,
      dedupe: chance(0.2) ? { key: pick(['d1', 'd2', 'd3']), untilMs: nowMs + 50 } : null,
      leaseFor: delayed ? [] : some(components, 0.3),
    });
  };
  const outcome = (): SettledAs => {
    const at = random();
    if (at < 0.6) return { as: 'done', answer: null };
    if (at < 0.85)
      return {
        as: 'again',
        dueAtMs: nowMs + Math.floor(random() * 100),
        counts: chance(0.7),
        attempt: attemptOf(1),
      };
    return { as: 'dead', forgetAtMs: nowMs + 500, attempt: attemptOf(1), answer: null };
  };

  const steps: (() => Promise<void>)[] = [
    async () => {
      const node = pick(NODES);
      const mine = some(
        under.filter((one) => one.node === node),
        0.5,
      );
      for (const one of mine) under.splice(under.indexOf(one), 1);
      // Now and then one that is none of its own.
      if (chance(0.1) && under.length > 0) mine.push(pick(under));
      const settle = mine.map(({ of }) => ({ ...of, outcome: outcome() }));
      const publish = Array.from({ length: Math.floor(random() * 5) }, work);
      said.push(`commit ${node} ${settle.map((s) => `${s.id}:${s.outcome.as}`).join()} + ${publish.length}`);
      const changed = await events.commit({ node, nowMs, publish, settle });
      const wanted = settle.map((one) => oracle.settle(node, one));
      assert.deepEqual(changed.settled, wanted);
      const kept = publish.map((one) => oracle.publish(node, nowMs, one));
      assert.deepEqual(
        changed.published.map((one) => ({ ...one, leased: [...one.leased] })),
        kept,
      );
      for (const { id, leased } of kept)
        for (const component of leased) under.push({ node, of: { app: 'shop', component, id, attempt: 1 } });
    },
    async () => {
      const node = pick(NODES);
      const order = {
        ...{ app: 'shop', component: pick(COMPONENTS), node, nowMs, maxBytes: 1e9 },
        ...{ limit: 1 + Math.floor(random() * 6), mostLeased: chance(0.3) ? 3 : null },
      };
      said.push(`lease ${node} ${order.component} ${order.limit}`);
      const leased = await events.lease(order);
      const due = oracle.dueFor(order);
      assert.deepEqual(
        leased.map((one) => one.dueAtMs),
        due,
      );
      for (const delivery of leased) {
        oracle.leased(node, delivery);
        assert.equal(Buffer.from(delivery.data).toString(), `{"id":"${delivery.id}"}`);
        const { app, component, id, attempt } = delivery;
        under.push({ node, of: { app, component, id, attempt } });
      }
    },
    async () => {
      const node = pick(NODES);
      said.push(`beat ${node}`);
      await events.beat(node, nowMs + 80);
      oracle.beat(node, nowMs + 80);
    },
    async () => {
      if (!chance(0.4)) return;
      const allBut = chance(0.1) ? pick(NODES) : null;
      said.push(`reclaim ${allBut}`);
      const ended = allBut === null ? await endedAt(events, nowMs) : { allBut };
      assert.equal(await events.reclaim(ended), oracle.reclaim(nowMs, allBut));
    },
    async () => {
      if (!chance(0.3)) return;
      const component = pick(COMPONENTS);
      said.push(`retry ${component}`);
      assert.equal(
        await events.retry({ app: 'shop', component }, nowMs, 10_000),
        oracle.retry((one) => one.component === component, nowMs),
      );
    },
    async () => {
      if (!chance(0.15)) return;
      const [component, key] = [pick(COMPONENTS), pick(['k1', 'k2'])];
      said.push(`drop ${component} ${key}`);
      assert.equal(
        await events.drop({ app: 'shop', component, key }, 10_000),
        oracle.drop((one) => one.component === component && one.work.key === key),
      );
    },
    async () => {
      if (!chance(0.3)) return;
      const [type, to] = [pick(['order.paid', 'order.sent']), pick(COMPONENTS)];
      said.push(`redrive ${type} ${to}`);
      assert.equal(
        await events.redrive({ app: 'shop', type }, to, nowMs, 10_000),
        oracle.redrive((one) => one.work.type === type, to, nowMs),
      );
    },
    async () => {
      if (!chance(0.3)) return;
      const [type, components] = [pick(['order.paid', 'order.sent']), COMPONENTS.slice(0, 2)];
      said.push(`match ${type}`);
      assert.equal(
        await events.match('shop', type, components, nowMs, 10_000),
        oracle.match(type, components, nowMs),
      );
    },
    async () => {
      if (!chance(0.3)) return;
      said.push('prune');
      assert.equal(await events.prune(nowMs), oracle.prune(nowMs));
    },
    async () => {
      nowMs += Math.floor(random() * 40);
    },
  ];
  try {
    for (let step = 0; step < STEPS; step++) {
      await pick([...steps, steps[0]!, steps[0]!, steps[1]!, steps[1]!])();
      if (step % COMPARED_AFTER !== 0) continue;
      const records = await events.list({ app: 'shop' }, null, 10_000);
      assert.deepEqual(records.map((one) => lineOf(one, one.state)).sort(), oracle.lines());
    }
  } catch (error) {
    throw new Error(`${messageOf(error)}\nafter: ${said.slice(-12).join(' · ')}`, { cause: error });
  } finally {
    await store.close();
    await clear();
  }
}

/** Xorshift, https://www.jstatsoft.org/article/view/v008i14 */
function randomOf(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
