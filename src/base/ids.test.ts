import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  answerKey,
  idOfKey,
  instanceId,
  keptId,
  randomText,
  requestId,
  secretToken,
  timedText,
} from './ids.ts';

test('ids have their form and do not repeat', () => {
  const seen = new Set<string>();
  for (let i = 0; i < 100_000; i++) seen.add(requestId());
  assert.equal(seen.size, 100_000);
  assert.match(requestId(), /^r_[0-9a-hjkmnp-tv-z]{20}$/);
  assert.match(instanceId(), /^i_[0-9a-hjkmnp-tv-z]{8}$/);
  assert.equal(Buffer.from(secretToken(), 'base64url').length, 32);
});

test('a text longer than the pool is still whole', () => {
  assert.equal(randomText(10_000).length, 10_000);
});

test('a text of a later time is behind those of before, and none is like another', () => {
  const times = [0, 31, 32, 1_023, 1_024, 1.7e12, 1.7e12 + 1, 3e13];
  const texts = times.map((nowMs) => timedText(nowMs, 17));
  assert.deepEqual([...texts].sort(), texts);
  assert.ok(texts.every((text) => /^[0-9a-hjkmnp-tv-z]{26}$/.test(text)));
  assert.notEqual(timedText(1, 17), timedText(1, 17));
});

test('of an answer’s key follows its id, of which nothing follows', () => {
  const key = answerKey(1.7e12);
  const id = idOfKey(key)!;
  assert.match(id, /^a_[0-9a-hjkmnp-tv-z]{26}$/);
  assert.equal(idOfKey(key), id);
  assert.equal(id.slice(0, 11), key.slice(0, 11), 'both are of one time');
  assert.notEqual(idOfKey(answerKey(1.7e12)), id);
  for (const none of [id, keptId(0), '', 'a_gone', `${key}0`, key.toUpperCase()])
    assert.equal(idOfKey(none), null);
});
