import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_ADVISOR } from '../../model/advisor-settings.ts';
import type { UsageLine } from '../../model/usage-export.ts';
import { booksOf } from '../advice/books-of.ts';
import { OwnReader } from '../own/own-reader.ts';
import { addLine, readOwnUsage } from '../own/read-own-usage.ts';
import { instancesLine, streamOf, unitFacts, usageLines, type Ran } from '../testing/usage-export.ts';
import { answerOf, type UnitQuestion } from './unit-answer.ts';
import { usageOfUnit } from '../own/unit-usage.ts';
import { UsageThread } from './usage-thread.ts';

const MINUTE_MS = 60_000;
const SPAN_MS = 60 * MINUTE_MS;
const NO_GROUPS = new Map<string, readonly string[]>();

function ran(component = 'orders', mode: Ran['mode'] = 'function'): Ran[] {
  return Array.from({ length: 600 }, (_, i) => ({
    component,
    mode,
    atMs: i * 6_000,
    durationMs: 20,
    cpuMs: 5,
  }));
}

function question(facts = unitFacts({ modeSetting: 'auto' })): UnitQuestion {
  return { facts, settings: DEFAULT_ADVISOR, books: booksOf(DEFAULT_ADVISOR) };
}

test('a thread answers as one would here, again and again', async () => {
  const lines = usageLines(ran(), { spanMs: SPAN_MS });
  const thread = await UsageThread.read(streamOf(lines), NO_GROUPS, new AbortController().signal);
  try {
    const here = answerOf(await readOwnUsage(streamOf(lines)), question());
    assert.ok(here.executed === 600 && here.perMonth! > 0);
    assert.deepEqual(await thread.ask(question()), here);
    assert.deepEqual(await thread.ask(question()), here);
  } finally {
    await thread.close();
  }
});

test('lines that were cut short, and a signal, are told; nothing is left of the thread', async () => {
  const lines = usageLines(ran(), { spanMs: SPAN_MS });
  const { signal } = new AbortController();
  const twice: UsageLine[] = [...lines.slice(0, 1), ...lines];
  await assert.rejects(UsageThread.read(streamOf(twice), NO_GROUPS, signal), { code: 'trace-invalid' });
  const cut = await UsageThread.read(streamOf(lines.slice(0, -1)), NO_GROUPS, signal);
  await assert.rejects(cut.ask(question()), { code: 'internal' });
  await cut.close();
  const ending = new AbortController();
  const thread = await UsageThread.read(streamOf(lines), NO_GROUPS, ending.signal);
  const asked = thread.ask(question());
  ending.abort(new Error('The server rests.'));
  await assert.rejects(asked, /The server rests/);
  await assert.rejects(thread.ask(question()), /The server rests/);
});

test('what the instances of a group lived is its members’, without the facts of the app', () => {
  const lines = usageLines([...ran('a', 'service'), ...ran('b', 'service')], {
    spanMs: SPAN_MS,
    more: [instancesLine({ unit: 'core', mode: 'service', started: 0 })],
  });
  const reader = new OwnReader(new Map([['core', ['a', 'b']]]));
  for (const line of lines) addLine(reader, line);
  const { days } = usageOfUnit(reader.finish(), { unit: 'core', members: ['a', 'b'] });
  assert.equal(days[0]!.instances.livedMs, MINUTE_MS);
});
