import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RecentMap } from './recent-map.ts';

describe('a map of the most recent', () => {
  it('has no more than it may, and loses what was used longest ago', () => {
    const map = new RecentMap<string, number>(3);
    for (const [i, key] of ['a', 'b', 'c'].entries()) map.set(key, i);
    assert.equal(map.get('a'), 0);
    map.set('b', 9);
    map.set('d', 3);
    assert.equal(map.size, 3);
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((key) => map.get(key)),
      [0, 9, null, 3],
    );
    for (let i = 0; i < 1_000; i++) map.set(`k${i}`, i);
    assert.equal(map.size, 3);
    map.delete('k999');
    assert.deepEqual([map.size, map.get('k999')], [2, null]);
  });
});
