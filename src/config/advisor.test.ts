import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunnableSpec } from '../model/app.ts';
import { BOOK_IDS } from '../model/book-ids.ts';
import { shippedBooks, shippedIds } from '../meter/price-book.ts';
import { DEFAULT_ADVISOR } from './defaults.ts';
import { app, appFolder, load, one } from './testing/configs.ts';

describe('what a config says of the advisor', () => {
  it('may be nothing', async (t) => {
    const spec = await load(await appFolder(t), one({}));
    assert.deepEqual(spec.advisor, DEFAULT_ADVISOR);
    assert.equal((spec.components.get('a') as RunnableSpec).objective, null);
  });

  it('may be everything', async (t) => {
    const advisor = {
      books: ['google-cloud-run-requests', 'own-machine'],
      machine: { perMonth: 39.5, currency: 'EUR', vcpu: 4, gb: 16 },
      objective: { p99: '200ms' },
      operations: { hoursPerMonth: { function: 0.5, service: 2 }, perHour: 60 },
      auto: { acts: false, dwell: '1d', window: '30m', leastSaving: 0.2, switchCost: 0 },
    };
    assert.deepEqual((await load(await appFolder(t), one({}, { advisor }))).advisor, {
      ...advisor,
      objective: { p99Ms: 200 },
      auto: { acts: false, dwellMs: 86_400_000, windowMs: 1_800_000, leastSaving: 0.2, switchCost: 0 },
    });
  });

  it('may be a part: the rest is as ever', async (t) => {
    const advisor = {
      machine: { perMonth: 0, vcpu: 4, gb: 16 },
      operations: { hoursPerMonth: { service: 2 }, perHour: 60 },
      auto: { acts: false },
    };
    assert.deepEqual((await load(await appFolder(t), one({}, { advisor }))).advisor, {
      ...DEFAULT_ADVISOR,
      machine: { perMonth: 0, currency: 'USD', vcpu: 4, gb: 16 },
      operations: { hoursPerMonth: { function: 0, service: 2 }, perHour: 60 },
      auto: { ...DEFAULT_ADVISOR.auto, acts: false },
    });
  });

  it('asks of a component what it says itself, and of members of a group what one of them says', async (t) => {
    const spec = await load(
      await appFolder(t),
      app(
        {
          a: { entry: './a.ts', objective: { p99: '1s' } },
          b: { entry: './catalog.ts' },
          c: { entry: './src/deep.mts', objective: {} },
        },
        { groups: { core: ['a', 'b'] } },
      ),
    );
    const of = (name: string): unknown => (spec.components.get(name) as RunnableSpec).objective;
    assert.deepEqual([of('a'), of('b'), of('c')], [{ p99Ms: 1_000 }, { p99Ms: 1_000 }, { p99Ms: null }]);
    assert.deepEqual(spec.groups.get('core')?.objective, { p99Ms: 1_000 });
  });

  it('names price books that are there, in a currency of their own each', () => {
    assert.deepEqual([...BOOK_IDS], shippedIds());
    assert.ok(shippedBooks().every(({ currency }) => /^[A-Z]{3}$/.test(currency)));
  });
});
