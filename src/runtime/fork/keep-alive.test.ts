import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { zygotesToEnd, type IdleZygote } from './keep-alive.ts';

const AMPLE = { availableBytes: 500, totalBytes: 1_000 };
const PRESSED = { availableBytes: 99, totalBytes: 1_000 };

function idle(key: string, idleMs: number, keepAliveMs = 600_000): IdleZygote {
  return { key, idleMs, keepAliveMs };
}

describe('zygotes to end', () => {
  test('those whose keep-alive has passed, each its own', () => {
    const zygotes = [
      idle('new', 0),
      idle('old', 600_000),
      idle('short', 1_000, 1_000),
      idle('none', 0, 0),
      idle('long', 3_000_000, 3_600_000),
    ];
    assert.deepEqual(zygotesToEnd(zygotes, AMPLE), ['old', 'short', 'none']);
    assert.deepEqual(zygotesToEnd([], PRESSED), []);
  });

  test('under pressure the least recently used first, a quarter at a time', () => {
    const zygotes = [10, 50, 20, 40, 30].map((seconds) => idle(`${seconds}`, seconds * 1_000));
    assert.deepEqual(zygotesToEnd(zygotes, PRESSED), ['50', '40']);
    assert.deepEqual(zygotesToEnd(zygotes, { availableBytes: 100, totalBytes: 1_000 }), []);
  });

  test('under pressure those whose keep-alive has passed do not stand for those that would end with them', () => {
    assert.deepEqual(zygotesToEnd([idle('over', 700_000), idle('a', 5), idle('b', 6)], PRESSED), [
      'over',
      'b',
    ]);
  });
});
