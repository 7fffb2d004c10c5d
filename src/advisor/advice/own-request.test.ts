import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BOOK_IDS } from '../../model/book-ids.ts';
import { DEFAULT_ADVISOR } from '../../model/advisor-settings.ts';
import { readOwnUsage } from '../own/read-own-usage.ts';
import { EPOCH_MS } from '../testing/traffic.ts';
import { streamOf, unitFacts, usageLines, type Ran } from '../testing/usage-export.ts';
import { booksOf } from './books-of.ts';
import { ownRequest } from './own-request.ts';
import type { AdviceRequest } from './request.ts';

const HOUR_MS = 3_600_000;
const OPTIONS = {
  ...{ settings: DEFAULT_ADVISOR, books: [], seed: 1, samples: 200 },
  ...{ detail: 'whole' as const, freeTier: false, without: [], mayBeNew: true },
};

/** Ten hours of usage, of which something is known from the fourth on. */
async function request(unit: string, members = [unit]): Promise<AdviceRequest> {
  const ran: Ran[] = [
    { component: 'cart', atMs: 4 * HOUR_MS, durationMs: 10 },
    { component: 'mail', atMs: 5 * HOUR_MS, durationMs: 20 },
    { component: 'cart', atMs: 6 * HOUR_MS, durationMs: 30 },
  ];
  const gaps = [
    { fromMs: EPOCH_MS + HOUR_MS, toMs: EPOCH_MS + 4.5 * HOUR_MS },
    { fromMs: EPOCH_MS + 9 * HOUR_MS, toMs: EPOCH_MS + 20 * HOUR_MS },
  ].map((gap) => ({ kind: 'gap' as const, ...gap }));
  const usage = await readOwnUsage(streamOf(usageLines(ran, { spanMs: 10 * HOUR_MS, more: gaps })));
  return ownRequest(usage, unitFacts({ unit, members }), OPTIONS);
}

function traffic({ traffic: asked }: AdviceRequest) {
  assert.ok(asked.kind === 'arrivals');
  return asked.traffic;
}

describe('what an app’s own usage is asked about with', () => {
  it('begins when any of the app was first seen, so that what was not there yet counts for nothing', async () => {
    for (const unit of ['cart', 'mail', 'unused']) {
      const { fromMs, toMs } = traffic(await request(unit));
      assert.deepEqual([fromMs - EPOCH_MS, toMs - EPOCH_MS], [4 * HOUR_MS, 10 * HOUR_MS], unit);
    }
  });

  it('begins when the unit itself was first seen, where it was never silent for so long again', async () => {
    // From the seventh hour on every ten minutes, in an app that was used from the beginning on.
    const late = Array.from({ length: 18 }, (_, i): Ran => ({
      component: 'late',
      atMs: 7 * HOUR_MS + i * 600_000,
      durationMs: 10,
    }));
    const ran: Ran[] = [{ component: 'cart', atMs: 0, durationMs: 10 }, ...late];
    const of = async (mayBeNew: boolean, some: readonly Ran[] = ran): Promise<number> => {
      const usage = await readOwnUsage(streamOf(usageLines(some, { spanMs: 10 * HOUR_MS })));
      const facts = unitFacts({ unit: 'late', members: ['late'] });
      return (traffic(ownRequest(usage, facts, { ...OPTIONS, mayBeNew })).fromMs - EPOCH_MS) / HOUR_MS;
    };
    assert.equal(await of(true), 7);
    assert.equal(await of(false), 0);
    // One that was as silent again afterwards is merely seldom called.
    const seldom: Ran[] = [ran[0]!, { component: 'late', atMs: 4 * HOUR_MS, durationMs: 10 }];
    assert.equal(await of(true, seldom), 0);
  });

  it('has the unit’s own arrivals, and a group’s those of all its members', async () => {
    const hours = async (...asked: Parameters<typeof request>): Promise<number[]> =>
      [...traffic(await request(...asked)).arrivedAtMs].map((atMs) => (atMs - EPOCH_MS) / HOUR_MS);
    assert.deepEqual(await hours('cart'), [4, 6]);
    assert.deepEqual(await hours('core', ['cart', 'mail']), [4, 5, 6]);
    assert.deepEqual(await hours('unused'), []);
    const measured = (await request('core', ['cart', 'mail'])).measured;
    assert.equal(
      measured.reduce((sum, { executed }) => sum + executed, 0),
      3,
    );
  });

  it('counts of the gaps what lies within', async () => {
    assert.equal((await request('cart')).gapsMs, 1.5 * HOUR_MS);
  });
});

describe('the books that settings name', () => {
  it('are those, and the machine', () => {
    const machine = { perMonth: 50, currency: 'EUR', vcpu: 2, gb: 4 };
    const found = booksOf({ books: ['aws-ec2', 'own-machine'], machine });
    assert.deepEqual(
      found.map(({ id }) => id),
      ['aws-ec2', 'own-machine'],
    );
    assert.deepEqual([found[1]?.currency, found[1]?.machine?.perMonth], ['EUR', 50]);
    assert.equal(booksOf({ books: BOOK_IDS, machine: null }).length, BOOK_IDS.length);
  });
});
