import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../base/fake-clock.ts';
import { CalledIntake } from './called-intake.ts';
import { NO_TEXT, RECORD_BYTES } from './called-records.ts';
import { MAX_CALLED_PER_S } from './limits.ts';

const MEMBERS = ['cart', 'stock'];

/** A CALLED with so many calls that ended well. */
function called(count: number, dropped = 0): Buffer {
  const texts = ['cart', 'stock', 'r_1'].map((text) => {
    const bytes = Buffer.from(text);
    return Buffer.concat([Buffer.from([bytes.length, 0]), bytes]);
  });
  const head = Buffer.alloc(6);
  head.writeUInt32LE(dropped, 0);
  head.writeUInt16LE(texts.length, 4);
  const record = Buffer.alloc(RECORD_BYTES);
  for (const [i, index] of [0, 1, NO_TEXT, NO_TEXT, 2].entries()) record.writeUInt16LE(index, 2 * i);
  record[11] = 1;
  return Buffer.concat([head, ...texts, ...Array.from({ length: count }, () => record)]);
}

function scene() {
  const clock = new FakeClock();
  const said: string[] = [];
  let records = 0;
  const intake = new CalledIntake({
    members: MEMBERS,
    sink: { record: () => void records++ },
    clock,
    say: (text) => void said.push(text),
  });
  return { clock, said, intake, records: () => records };
}

test('of a flood of calls so many are read as may be in a second, and the others are counted once', async () => {
  const { clock, said, intake, records } = scene();
  const frame = called(5_000);
  for (let i = 0; i < 60; i++) intake.take(frame);
  assert.equal(records(), MAX_CALLED_PER_S);
  assert.deepEqual(said, [], 'not once for each of them');
  await clock.advance(1_000);
  assert.equal(said.length, 1);
  assert.match(said[0]!, /^\(250000 calls within the process are not in the log/);
  intake.take(frame);
  assert.equal(records(), MAX_CALLED_PER_S + 5_000, 'there is room again');
  await clock.advance(5_000);
  assert.equal(said.length, 1);
});

test('of what is not read the form is looked at all the same', () => {
  const { intake } = scene();
  intake.take(called(MAX_CALLED_PER_S));
  intake.take(called(3));
  assert.throws(() => intake.take(called(3).subarray(0, -1)), { code: 'wire-protocol' });
});

test('what the instance itself could not tell counts, too', async () => {
  const { clock, said, intake } = scene();
  intake.take(called(0, 3));
  intake.take(called(1, 4));
  await clock.advance(1_000);
  assert.match(said.join(), /^\(7 calls within the process/);
});
