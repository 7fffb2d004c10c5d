import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readOwnUsage } from '../own/read-own-usage.ts';
import { streamOf, unitFacts, usageLines } from '../testing/usage-export.ts';
import { basisOf, billOptions } from './accounts.ts';
import { unitDays, type UnitDays } from './unit-days.ts';

test('days on which nothing came do not change what the others are known by', () => {
  const of = (...kinds: readonly ('counted' | 'replayed' | 'idle')[]): string =>
    basisOf(kinds.map((basis) => ({ basis })));
  assert.equal(of('idle', 'counted', 'idle'), 'counted');
  assert.equal(of('counted', 'idle', 'replayed'), 'mixed');
  assert.equal(of('idle', 'idle'), 'idle');
  assert.equal(of(), 'idle');
});

test('memory is the setting’s where the minutes were written before they told it, and else what they tell', async () => {
  const options = async (byteMs: number | null): Promise<number | undefined> => {
    const facts = [unitFacts({ mode: 'service' })];
    const lines = usageLines([{ atMs: 0, durationMs: 10, mode: 'service' }], { spanMs: 60_000, facts });
    const told = lines.map((line) =>
      line.kind === 'minute' && byteMs !== null ? { ...line, wholeByteMs: byteMs } : line,
    );
    const units = unitDays(await readOwnUsage(streamOf(told)), 1);
    const settings = { freeTier: false, without: [] };
    return billOptions(units, { mode: 'service', months: 1 }, settings).components!['orders']!.memoryBytes;
  };
  assert.equal(await options(0), unitFacts().service.memoryBytes);
  assert.equal(await options(null), undefined);
});

test('who asked, and how much passed the gateway, is the same in the mode that it did not run in', async () => {
  const facts = [unitFacts({ mode: 'service' })];
  const lines = usageLines([{ atMs: 0, durationMs: 10, mode: 'service' }], { spanMs: 60_000, facts }).map(
    (line) => (line.kind === 'minute' ? { ...line, internal: 1, bytesIn: 3, bytesOut: 5 } : line),
  );
  const [{ days }] = unitDays(await readOwnUsage(streamOf(lines)), 1) as [UnitDays];
  const { basis, used } = days.find(({ scenario }) => scenario === 'function')!;
  assert.equal(basis, 'replayed');
  assert.deepEqual([used.executed, used.internal, used.bytesIn, used.bytesOut], [1, 1, 3, 5]);
});
