import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunnableSpec } from '../model/app.ts';
import { manualInvocation } from './manual-invocation.ts';

const when = { kind: 'cron', cron: '0 2 * * *', timeZone: 'UTC' } as const;
const report = { kind: 'module', schedules: [{ when }] } as unknown as RunnableSpec;
const read = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString());

test("a tick by hand is the schedule's own unless another is named", () => {
  const own = manualInvocation(report, { kind: 'scheduled' }, 1_000);
  assert.ok(own.kind === 'scheduled');
  assert.deepEqual(read(own.event.bytes), { cron: '0 2 * * *', scheduledTime: 1_000 });

  const other = manualInvocation(report, { kind: 'scheduled', cron: '* * * * *', atMs: 5 }, 1_000);
  assert.ok(other.kind === 'scheduled');
  assert.deepEqual(read(other.event.bytes), { cron: '* * * * *', scheduledTime: 5 });
});

test('events by hand get an id each and look like a first delivery', () => {
  const made = manualInvocation(
    report,
    {
      kind: 'queue',
      messages: [
        { type: 'a', data: 1 },
        { type: 'b', data: null },
      ],
    },
    7,
  );
  assert.ok(made.kind === 'queue');
  const { messages } = read(made.batch.bytes) as {
    messages: { id: string; type: string; time: number; attempt: number }[];
  };
  assert.deepEqual(
    messages.map(({ type, time, attempt }) => [type, time, attempt]),
    [
      ['a', 7, 1],
      ['b', 7, 1],
    ],
  );
  assert.notEqual(messages[0]!.id, messages[1]!.id);
});
