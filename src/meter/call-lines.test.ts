import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import type { LogEntry } from '../model/log.ts';
import { CallLines } from './call-lines.ts';
import { callRecord } from './testing/call-record.ts';

function scene() {
  const clock = new FakeClock();
  const entries: LogEntry[] = [];
  const lines = new CallLines({ app: 'shop', log: { write: (entry) => void entries.push(entry) }, clock });
  const call = (from: string, times: number): void => {
    for (let i = 0; i < times; i++) lines.record(callRecord({ from }));
  };
  return { clock, entries, call };
}

test('each call has its line, and of one caller’s flood a thousand in a second, whatever else is called', async () => {
  const { clock, entries, call } = scene();
  call('cart', 250_000);
  call('mail', 3);
  assert.equal(entries.length, 1_003);
  assert.deepEqual([entries[0]!.component, entries.at(-1)!.fields!['from']], ['pricing', 'mail']);
  await clock.advance(999);
  call('cart', 1);
  assert.equal(entries.length, 1_003);
  await clock.advance(1);
  assert.equal(entries.length, 1_004);
  const { app, component, level, text, requestId } = entries.at(-1)!;
  assert.deepEqual([app, component, level, requestId], ['shop', 'cart', 'warn', null]);
  assert.match(text, /^\(249001 calls that it made have no line of their own/);
});

test('one second after the other has its thousand, and no more', async () => {
  const { clock, entries, call } = scene();
  await clock.advance(300);
  for (let i = 0; i < 50; i++) {
    call('cart', 1_000);
    await clock.advance(100);
  }
  // 5.3 s have been begun.
  assert.equal(entries.filter(({ level }) => level === 'info').length, 6_000);
  assert.equal(entries.filter(({ level }) => level === 'warn').length, 5);
});

test('what was left out is said once, and the next second begins anew', async () => {
  const { clock, entries, call } = scene();
  call('cart', 1_500);
  await clock.advance(500);
  call('cart', 500);
  await clock.advance(500);
  call('cart', 1_000);
  await clock.advance(5_000);
  call('cart', 1);
  const told = entries.filter(({ level }) => level === 'warn').map(({ text }) => text);
  assert.equal(told.length, 1);
  assert.match(told[0]!, /^\(1000 calls/);
  assert.equal(entries.length, 2_002);
});
