import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ended, openForks, told } from './scene.ts';

const FORKS = process.env['FULCRUM_FULL'] ? 10_000 : 1_000;
const DRAWS = 100;
const AT_ONCE = 4;

test(
  `no number is drawn twice in ${FORKS} forks of one process, by any generator`,
  { timeout: 1_200_000 },
  async (t) => {
    const bench = await openForks(t);
    const first = await bench.start('fork');
    const seen = new Map<string, Set<unknown>>();
    let begun = 0;
    const lane = async (): Promise<void> => {
      while (begun < FORKS) {
        begun++;
        const instance = await bench.start('fork', { revision: first.revision });
        const drawn = await told<Record<string, unknown[]>>(instance, 'draws', DRAWS);
        for (const [generator, values] of Object.entries(drawn)) {
          const all = seen.get(generator) ?? new Set();
          seen.set(generator, all);
          for (const value of values) all.add(value);
        }
        await ended(instance);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    assert.equal(seen.size, 8);
    for (const [generator, all] of seen) {
      assert.equal(all.size, begun * DRAWS, `${begun * DRAWS - all.size} duplicates of ${generator}`);
    }
  },
);
