import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bucketLine, bucketOf, BUCKETS, isInCanary, newBucket } from './canary.ts';

const APP = fc.stringMatching(/^[a-z][a-z0-9-]{0,30}(?:@[a-z]{1,10})?$/);
const RELEASE = fc.integer({ min: 1, max: 1_000_000 });
const HUNDREDTHS = fc.integer({ min: 0, max: BUCKETS });
const runs = { numRuns: process.env['FULCRUM_FULL'] === '1' ? 1_000 : 100 };

function takenBy(app: string, release: number, percent: number): Set<number> {
  const taken = new Set<number>();
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    if (isInCanary(bucket, app, release, percent)) taken.add(bucket);
  }
  return taken;
}

test('a canary takes exactly its percent of the buckets', () => {
  fc.assert(
    fc.property(APP, RELEASE, HUNDREDTHS, (app, release, hundredths) => {
      assert.equal(takenBy(app, release, hundredths / 100).size, hundredths);
    }),
    runs,
  );
});

test('a larger percent takes no client out', () => {
  fc.assert(
    fc.property(APP, RELEASE, HUNDREDTHS, HUNDREDTHS, (app, release, one, other) => {
      const few = takenBy(app, release, Math.min(one, other) / 100);
      const many = takenBy(app, release, Math.max(one, other) / 100);
      for (const bucket of few) assert.ok(many.has(bucket), `${bucket} was in, and is out`);
    }),
    runs,
  );
});

test('a small canary takes nobody whom those of the last ten releases took', () => {
  fc.assert(
    fc.property(APP, RELEASE, fc.integer({ min: 1, max: 10 }), (app, release, back) => {
      const now = takenBy(app, release + back, 5);
      for (const bucket of takenBy(app, release, 5)) assert.ok(!now.has(bucket));
    }),
    runs,
  );
});

test('of 10,000 new clients each percent gets its share, within what chance allows', () => {
  const clients = Array.from({ length: 10_000 }, newBucket);
  for (const percent of [1, 10, 50, 90]) {
    const got = clients.filter((bucket) => isInCanary(bucket, 'shop', 7, percent)).length;
    const expected = percent * 100;
    // Six standard deviations: less often wrong than one run in a hundred million.
    const allowed = 6 * Math.sqrt((expected * (100 - percent)) / 100);
    assert.ok(Math.abs(got - expected) <= allowed, `${percent} %: ${got}`);
  }
});

const COOKIES: [string | null, number | null][] = [
  [null, null],
  ['', null],
  ['fulcrum_canary=0', 0],
  ['fulcrum_canary=9999', 9_999],
  ['a=b; fulcrum_canary=42; c=d', 42],
  ['a=b;fulcrum_canary=42', 42],
  ['xfulcrum_canary=42', null],
  ['fulcrum_canary2=42', null],
  ['a=fulcrum_canary=42', null],
  ['fulcrum_canary=10000', null],
  ['fulcrum_canary=-1', null],
  ['fulcrum_canary=1e2', null],
  ['fulcrum_canary=', null],
  ['fulcrum_canary', null],
  ['fulcrum_canary=x; fulcrum_canary=7', 7],
  ['fulcrum_canary=7; fulcrum_canary=8', 7],
];
for (const [cookie, bucket] of COOKIES) {
  test(`Cookie: ${cookie} holds ${bucket}`, () => assert.equal(bucketOf(cookie), bucket));
}

test('what is set is read again', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: BUCKETS - 1 }), fc.boolean(), (bucket, secure) => {
      const line = bucketLine(bucket, '/shop', secure);
      const [, pair, rest] = /^Set-Cookie: ([^;]+)(; .*)\r\n$/.exec(line)!;
      assert.equal(bucketOf(pair!), bucket);
      assert.equal(rest, `; Path=/shop; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`);
    }),
    runs,
  );
});
