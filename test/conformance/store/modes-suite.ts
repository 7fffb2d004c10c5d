import assert from 'node:assert/strict';
import type { ModeStep } from '../../../src/model/mode-history.ts';
import { hasCode } from './support/has-code.ts';
import { checksOf, type StoreUnderTest } from './support/store-under-test.ts';
import { newApp, NOW_MS } from './support/things.ts';

/** What every history of modes must do. */
export function modesSuite(subject: StoreUnderTest): void {
  const check = checksOf(subject);

  check(
    'modes: steps are read back as they were, the newest first, by unit and by page',
    async ({ modes }) => {
      const steps = ['a', 'b', 'a', 'b', 'a'].map((unit, i) => step({ id: `s${i}`, unit, atMs: NOW_MS + i }));
      await modes.append('shop', steps.slice(0, 3), []);
      await modes.append('shop', steps.slice(3), []);
      await modes.append('other', [step({ id: 's9', unit: 'a' })], []);
      assert.deepEqual(await modes.steps('shop', null, null, 10), steps.toReversed());
      const ids = async (unit: string | null, before: string | null, limit: number): Promise<string[]> =>
        (await modes.steps('shop', unit, before, limit)).map(({ id }) => id);
      assert.deepEqual(await ids('a', null, 10), ['s4', 's2', 's0']);
      assert.deepEqual(await ids('a', 's4', 1), ['s2']);
      assert.deepEqual(await ids(null, 's2', 10), ['s1', 's0']);
      assert.deepEqual(await ids('c', null, 10), []);
    },
  );

  check('modes: a state replaces the one before, of its unit and app alone', async ({ modes }) => {
    const state = (unit: string, text: string) => ({ unit, state: text, savedAtMs: NOW_MS });
    await modes.append('shop', [], [state('a', '{"n":1}'), state('b', '{}')]);
    await modes.append('other', [], [state('a', 'theirs')]);
    await modes.append('shop', [], [state('a', '{"n":2}')]);
    assert.deepEqual(await modes.states('shop'), [state('a', '{"n":2}'), state('b', '{}')]);
    assert.deepEqual(await modes.states('nobody'), []);
  });

  check('modes: what cannot all be kept is not kept at all', async ({ modes }) => {
    const wrong = { unit: 'b', state: null as never, savedAtMs: NOW_MS };
    await assert.rejects(modes.append('shop', [step({ id: 's1' })], [wrong]), hasCode('store-failed'));
    assert.deepEqual(await modes.steps('shop', null, null, 10), []);
  });

  check('modes: one node decides for an app, until it no longer says so', async ({ modes }) => {
    const lease = (node: string, nowMs: number, app = 'shop') =>
      modes.lease({ app, node, nowMs: NOW_MS + nowMs, untilMs: NOW_MS + nowMs + 1_000 });
    assert.equal(await lease('n1', 0), true);
    assert.equal(await lease('n2', 0, 'other'), true);
    assert.equal(await lease('n2', 500), false);
    assert.equal(await lease('n1', 600), true);
    assert.equal(await lease('n2', 1_599), false);
    assert.equal(await lease('n2', 1_600), true);
    assert.equal(await lease('n1', 1_700), false);
  });

  check(
    'modes: one that was taken by a clock that was a day ahead keeps nobody waiting',
    async ({ modes }) => {
      const lease = (node: string, nowMs: number) =>
        modes.lease({ app: 'shop', node, nowMs: NOW_MS + nowMs, untilMs: NOW_MS + nowMs + 1_000 });
      assert.equal(await lease('n1', 86_400_000), true);
      assert.equal(await lease('n2', 0), true);
      assert.equal(await lease('n1', 900), false);
      // A little ahead is no more than clocks are apart.
      assert.equal(await lease('n1', 1_500), true);
      assert.equal(await lease('n2', 600), false);
    },
  );

  check('modes: of nodes that ask at once, one decides', async ({ modes }) => {
    const asked = Array.from({ length: 20 }, (_, i) =>
      modes.lease({ app: 'shop', node: `n${i}`, nowMs: NOW_MS, untilMs: NOW_MS + 1_000 }),
    );
    assert.equal((await Promise.all(asked)).filter(Boolean).length, 1);
  });

  check('modes: the newest of each unit stay, and nothing that is too old', async ({ modes }) => {
    const of = (unit: string, from: number, count: number): ModeStep[] =>
      Array.from({ length: count }, (_, i) =>
        step({ id: `${unit}${String(from + i).padStart(3, '0')}`, unit, atMs: NOW_MS + from + i }),
      );
    await modes.append(
      'shop',
      [...of('a', 0, 20), ...of('b', 8, 4)],
      [
        { unit: 'a', state: '1', savedAtMs: NOW_MS + 9 },
        { unit: 'b', state: '2', savedAtMs: NOW_MS + 10 },
      ],
    );
    await modes.append('other', of('a', 0, 9), []);
    await modes.prune('shop', NOW_MS + 10, 3);
    const left = await modes.steps('shop', null, null, 100);
    assert.deepEqual(left.map(({ id }) => id).sort(), ['a017', 'a018', 'a019', 'b010', 'b011']);
    assert.deepEqual(
      (await modes.states('shop')).map(({ unit }) => unit),
      ['b'],
    );
    assert.equal((await modes.steps('other', null, null, 100)).length, 9);
  });

  check('modes: they go with their app', async ({ apps, modes }) => {
    await apps.create(newApp());
    await modes.append('shop', [step({ id: 's1' })], [{ unit: 'a', state: '1', savedAtMs: NOW_MS }]);
    await modes.lease({ app: 'shop', node: 'n1', nowMs: NOW_MS, untilMs: NOW_MS + 1_000 });
    await apps.remove('shop');
    assert.deepEqual(await modes.steps('shop', null, null, 10), []);
    assert.deepEqual(await modes.states('shop'), []);
    assert.equal(await modes.lease({ app: 'shop', node: 'n2', nowMs: NOW_MS, untilMs: NOW_MS }), true);
  });
}

function step(fields: Partial<ModeStep> = {}): ModeStep {
  return {
    ...{ id: 's0', atMs: NOW_MS, unit: 'a', kind: 'switched', by: 'auto', from: 'function', to: 'service' },
    reason: 'By its traffic it costs less: “naïve” \u{1f6d2}.',
    figures: { savingLow: 0.1 + 0.2, excess: 1e-7, executed: 2 ** 53 },
    ...fields,
  };
}
