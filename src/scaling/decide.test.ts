import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decide } from './decide.ts';
import type { FunctionSnapshot, InstanceView } from './snapshot.ts';
import { revision } from './testing/scene.ts';

const NEVER = { failures: 0, retryAtMs: Number.NEGATIVE_INFINITY, latest: 'revision' } as const;

function view(id: string, o: Partial<InstanceView> = {}): InstanceView {
  return { id, state: 'ready', inFlight: 0, served: 1, idleSinceMs: 0, failing: null, ...o };
}

function functions(
  o: Partial<Omit<FunctionSnapshot, 'settings'>> & { settings?: Partial<FunctionSnapshot['settings']> },
): FunctionSnapshot {
  const settings = { ...revision('x').spec.function, ...o.settings };
  return {
    mode: 'function',
    queued: 0,
    instances: [],
    retry: NEVER,
    warm: 0,
    startsAtOnce: 100,
    habit: null,
    ...o,
    settings,
  };
}

const starting = (id: string): InstanceView => view(id, { state: 'starting', served: 0 });
const busy = (id: string, inFlight = 1): InstanceView => view(id, { inFlight });

describe('decide, a function', () => {
  it('does what the worked example says', () => {
    const snapshot = functions({
      queued: 5,
      settings: { concurrency: 2, maxInstances: 10 },
      instances: [starting('i_a'), busy('i_b', 2), view('i_c', { idleSinceMs: 3_900 })],
    });
    assert.deepEqual(decide(snapshot, 5_000), {
      starts: ['queue 5', 'queue 5'],
      ends: [{ id: 'i_c', reason: 'keep-alive passed' }],
      refuse: 0,
      wakeAtMs: null,
    });
    assert.deepEqual(decide(snapshot, 4_500).ends, []);
    assert.equal(decide(snapshot, 4_500).wakeAtMs, 4_900);
  });

  it('starts nothing where nothing waits', () => {
    assert.deepEqual(decide(functions({}), 0), { starts: [], ends: [], refuse: 0, wakeAtMs: null });
  });

  it('counts every process against maxInstances, ending ones too', () => {
    const instances = [busy('a'), view('b', { state: 'ending' }), view('c', { state: 'draining' })];
    assert.equal(
      decide(functions({ queued: 9, settings: { maxInstances: 4 }, instances }), 0).starts.length,
      1,
    );
    assert.equal(
      decide(functions({ queued: 9, settings: { maxInstances: 3 }, instances }), 0).starts.length,
      0,
    );
  });

  it('starts no more at once than the machine can bring up', () => {
    const plan = decide(functions({ queued: 50, startsAtOnce: 8, instances: [starting('a'), busy('b')] }), 0);
    assert.equal(plan.starts.length, 7);
  });

  it('counts one invocation for each starting instance that is fresh, whatever its concurrency', () => {
    const settings = { fresh: true, concurrency: 10 };
    assert.equal(decide(functions({ queued: 3, settings, instances: [starting('a')] }), 0).starts.length, 2);
  });

  it('ends a fresh instance after its one invocation, and not before', () => {
    const settings = { fresh: true };
    const ends = (served: number, inFlight: number): number =>
      decide(functions({ settings, instances: [view('a', { served, inFlight })] }), 0).ends.length;
    assert.equal(ends(1, 0), 1);
    assert.equal(ends(0, 0), 0);
    assert.equal(ends(0, 1), 0);
  });

  it('ends the idle ones only, the oldest first, and says when the next falls due', () => {
    const instances = [
      view('old', { idleSinceMs: 10 }),
      busy('busy'),
      view('mid', { idleSinceMs: 20 }),
      view('new', { idleSinceMs: 700 }),
    ];
    const plan = decide(functions({ instances }), 1_020);
    assert.deepEqual(
      plan.ends.map(({ id }) => id),
      ['old', 'mid'],
    );
    assert.equal(plan.wakeAtMs, 1_700);
  });

  it('keeps instances warm while a mode switch asks for them', () => {
    assert.deepEqual(decide(functions({ warm: 2, instances: [starting('a')] }), 0).starts, ['warm 2 of 2']);
    assert.equal(decide(functions({ warm: 2, instances: [view('a'), view('b')] }), 9_999).ends.length, 0);
  });

  describe('after a failed start', () => {
    const retry = { failures: 1, retryAtMs: 100, latest: 'revision' } as const;
    it('lets all wait where only the machine had no room, and comes back at the retry', () => {
      const shortage = { ...retry, latest: 'shortage' } as const;
      for (const settings of [{}, { fresh: true }]) {
        const plan = decide(functions({ queued: 5, retry: shortage, settings }), 50);
        assert.deepEqual([plan.starts.length, plan.refuse, plan.wakeAtMs], [0, 0, 100]);
        assert.equal(decide(functions({ queued: 5, retry: shortage, settings }), 100).starts.length, 1);
      }
    });

    it('refuses who has nothing to wait for, and starts nothing', () => {
      const plan = decide(functions({ queued: 5, retry, instances: [starting('a')] }), 50);
      assert.deepEqual([plan.starts.length, plan.refuse, plan.wakeAtMs], [0, 4, null]);
    });

    it('lets them wait for an instance that works, and comes back at the retry', () => {
      const plan = decide(functions({ queued: 5, retry, instances: [busy('a')] }), 50);
      assert.deepEqual([plan.starts.length, plan.refuse, plan.wakeAtMs], [0, 0, 100]);
    });

    it('does not count on a fresh instance to come free', () => {
      const plan = decide(
        functions({ queued: 5, retry, settings: { fresh: true }, instances: [busy('a')] }),
        50,
      );
      assert.equal(plan.refuse, 5);
    });

    it('sends one probe at a time once the time has come', () => {
      assert.equal(decide(functions({ queued: 5, retry }), 100).starts.length, 1);
      const plan = decide(functions({ queued: 5, retry, instances: [starting('a')] }), 100);
      assert.deepEqual([plan.starts.length, plan.refuse], [0, 0]);
    });
  });
});
