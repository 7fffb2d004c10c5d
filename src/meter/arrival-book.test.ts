import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usageRecord } from '../../test/conformance/usage-record.ts';
import type { ArrivalBlock } from '../model/usage-store.ts';
import { readArrivals } from './arrival-block.ts';
import { ArrivalBook } from './arrival-book.ts';

test('a block grows under one id until it is full, and every arrival is in exactly one block', () => {
  const book = newBook();
  const stored = new Map<string, ArrivalBlock>();
  for (let i = 0; i < 5_000; i++) {
    book.add(usageRecord({ arrivedAtMs: 1e12 + i }), 0);
    if (i % 7 === 0) for (const block of book.take(10)) stored.set(block.part, block);
  }
  for (const block of book.take(10)) stored.set(block.part, block);
  const arrivals = [...stored.values()].flatMap((block) => readArrivals(block));
  assert.deepEqual(
    arrivals.map((arrival) => arrival.arrivedAtMs).sort((a, b) => a - b),
    Array.from({ length: 5_000 }, (_, i) => 1e12 + i),
  );
  assert.ok(stored.size > 2 && stored.size < 10, `${stored.size} blocks`);
  for (const block of stored.values()) assert.ok(block.bytes.length < 4_096);
});

test('components and modes have blocks of their own', () => {
  const book = newBook();
  book.add(usageRecord({ component: 'a' }), 0);
  book.add(usageRecord({ component: 'a', mode: 'service' }), 0);
  book.add(usageRecord({ component: 'b', outcome: 'refused', cold: true }), 0);
  const blocks = book.take(10);
  assert.deepEqual(blocks.map((block) => `${block.component} ${block.mode} ${block.count}`).sort(), [
    'a function 1',
    'a service 1',
    'b function 1',
  ]);
  const [refused] = readArrivals(blocks.find((block) => block.component === 'b')!);
  assert.deepEqual([refused!.refused, refused!.cold], [true, true]);
});

test('nothing is taken twice without a change', () => {
  const book = newBook();
  book.add(usageRecord(), 0);
  assert.equal(book.waiting, 1);
  assert.equal(book.take(10).length, 1);
  assert.equal(book.waiting, 0);
  assert.deepEqual(book.take(10), []);
});

test('a block that was open for an hour is closed, so that old arrivals can be pruned', () => {
  const book = newBook();
  book.add(usageRecord(), 0);
  const [first] = book.take(10);
  book.evict(3_600_000);
  book.add(usageRecord(), 3_600_001);
  const [second] = book.take(10);
  assert.notEqual(second!.part, first!.part);
  assert.equal(second!.count, 1);
});

test('while nothing is taken, what waits is bounded and what is dropped is counted', () => {
  const book = newBook(20_000);
  for (let i = 0; i < 50_000; i++) book.add(usageRecord({ arrivedAtMs: i }), 0);
  const blocks = book.take(1_000);
  const kept = blocks.reduce((total, block) => total + block.count, 0);
  assert.equal(kept + book.dropped, 50_000);
  assert.ok(book.dropped > 0);
  assert.ok(blocks.reduce((total, block) => total + block.bytes.length, 0) < 28_000);
  book.add(usageRecord({ arrivedAtMs: 50_000 }), 0);
  assert.equal(book.take(10).length, 1, 'it goes on once there is room');
});

function newBook(maxWaitingBytes = 1e6): ArrivalBook {
  let parts = 0;
  return new ArrivalBook({ nextPart: () => `p${parts++}`, maxWaitingBytes });
}
