import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { chooseReplica, type Choosable } from './choose-replica.ts';

interface Replica extends Choosable {
  readonly name: string;
}

function replica(ordinal: number, o: Partial<Replica> & { most?: number } = {}): Replica {
  const one: Replica = {
    name: `r_${ordinal}`,
    state: 'ready',
    inFlight: 0,
    failing: null,
    ordinal,
    standing: { state: 'in' },
    hasRoom: (concurrency) => one.state === 'ready' && one.inFlight < concurrency,
    ...o,
  };
  return one;
}

const some = (many: number): Replica[] => Array.from({ length: many }, (_, i) => replica(i));
const nameOf = (replicas: readonly Replica[], key: string | null, concurrency = 10): string | null =>
  chooseReplica(replicas, concurrency, key)?.name ?? null;
const KEYS = Array.from({ length: 20_000 }, (_, i) => `client-${i}`);

describe('the choice of a replica', () => {
  it('takes the one with the least to do', () => {
    const loads = [3, 1, 2].map((inFlight, i) => replica(i, { inFlight }));
    assert.equal(nameOf(loads, null), 'r_1');
  });

  it('has nobody wait while another is free, and somebody where all are full', () => {
    const replicas = [replica(0, { inFlight: 10 }), replica(1, { inFlight: 9 })];
    for (const key of [null, 'a', 'b', 'c']) assert.equal(nameOf(replicas, key), 'r_1');
    assert.equal(nameOf(replicas, null, 9), null);
  });

  it('passes over who is ejected or fails its health checks, and takes them as the last resort', () => {
    const out = replica(0, { standing: { state: 'out' } });
    const ill = replica(1, { failing: 'no answer' });
    for (const key of [null, 'a', 'b', 'c']) {
      assert.equal(nameOf([out, ill, replica(2, { inFlight: 5 })], key), 'r_2');
      assert.equal(nameOf([out, ill, replica(2, { inFlight: 10 })], key), null, 'it will come free');
      assert.equal(nameOf([out, ill, replica(2, { state: 'starting' })], key), null, 'it will come');
      assert.equal(nameOf([ill, out], key), 'r_0', 'that one answers its health checks at least');
      assert.equal(nameOf([ill], key), 'r_1');
    }
  });

  it('gives one invocation to one whose ejection is over, and no second beside it', () => {
    const due = replica(0, { standing: { state: 'due' }, inFlight: 1 });
    assert.equal(nameOf([replica(1), due], null), 'r_0');
    const tried = replica(0, { standing: { state: 'trial' } });
    assert.equal(nameOf([replica(1, { inFlight: 9 }), tried], null), 'r_1');
  });

  it('sends a key always to the same one, in whatever order they stand and however busy they are', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.shuffledSubarray(some(8), { minLength: 8 }),
        fc.nat({ max: 9 }),
        (key, all, inFlight) => {
          const busy = all.map((one) => replica(one.ordinal, { inFlight: one.ordinal === 3 ? inFlight : 0 }));
          assert.equal(nameOf(busy, key), nameOf(some(8), key));
        },
      ),
    );
  });

  it('gives each of them its share of the keys', () => {
    for (const many of [2, 3, 7]) {
      const counts = new Map<string, number>();
      for (const key of KEYS) {
        const name = nameOf(some(many), key)!;
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      assert.equal(counts.size, many);
      const expected = KEYS.length / many;
      for (const got of counts.values())
        assert.ok(Math.abs(got - expected) < 0.06 * expected, `${got} of ${expected}`);
    }
  });

  for (const many of [1, 2, 5, 9]) {
    it(`from ${many} to ${many + 1}: about one key in ${many + 1} moves, all of them to the new one`, () => {
      let moved = 0;
      for (const key of KEYS) {
        const before = nameOf(some(many), key);
        const now = nameOf(some(many + 1), key);
        if (before === now) continue;
        moved++;
        assert.equal(now, `r_${many}`);
      }
      const expected = KEYS.length / (many + 1);
      assert.ok(Math.abs(moved - expected) < 0.08 * expected, `${moved} of ${expected}`);
    });
  }

  it('where one is full or gone, only its own keys go elsewhere, to all of the others', () => {
    const takers = new Set<string>();
    for (const key of KEYS.slice(0, 2_000)) {
      const first = nameOf(some(4), key)!;
      const full = some(4).map((one) => (one.ordinal === 2 ? replica(2, { inFlight: 10 }) : one));
      const gone = some(4).filter(({ ordinal }) => ordinal !== 2);
      const next = nameOf(full, key)!;
      assert.equal(nameOf(gone, key), next);
      if (first !== 'r_2') assert.equal(next, first);
      else takers.add(next);
    }
    assert.equal(takers.size, 3);
  });
});
