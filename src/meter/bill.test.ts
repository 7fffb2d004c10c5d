import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Bill } from '../model/bill.ts';
import type { Used } from '../model/used.ts';
import { billOf, billsOf, totalOf, whyNotSold, type BillOptions } from './bill.ts';
import { lineIdsOf } from './line-ids.ts';
import { openBook, shippedBooks } from './price-book.ts';
import { FROM_MS, GB, MB, minuteAt, MONTH_MS, usedOf } from './testing/used.ts';

const LAMBDA = openBook('aws-lambda-x86');

function amounts(bill: Bill): Record<string, number> {
  return Object.fromEntries(bill.lines.map((line) => [line.id, Number(line.amount.toFixed(6))]));
}

function freeOf(bills: readonly Bill[], id: string): number[] {
  return bills.map((bill) => bill.lines.find((line) => line.id === id)!.free);
}

test('the free tier is a toggle, off unless it is asked for', () => {
  const used = usedOf({ executed: 1e6, wholeMs: 1e8 });
  assert.equal(billOf(used, LAMBDA, { without: ['gateway'] }).total, 0.41);
  assert.equal(billOf(used, LAMBDA, { without: ['gateway'], freeTier: true }).total, 0);
});

test('components of an account share its free tier by what each uses, and its tiers', () => {
  const large = usedOf({ component: 'large', executed: 3e6 });
  const small = usedOf({ component: 'small', executed: 1e6 });
  const bills = billsOf([large, small], LAMBDA, { freeTier: true, without: ['gateway'] });
  assert.deepEqual(freeOf(bills, 'requests'), [0.75, 0.25]);
  assert.deepEqual(
    bills.map((bill) => bill.total),
    [0.45, 0.15],
  );
  const together = billOf({ ...large, executed: 4e6 }, LAMBDA, { freeTier: true, without: ['gateway'] });
  assert.equal(totalOf(bills), together.total);
  // The second tier of the gateway is reached by neither alone.
  const gateway = (each: Used): Used => ({ ...each, executed: 200e6 });
  const both = billsOf([gateway(large), gateway(small)], LAMBDA);
  assert.equal(both[0]!.lines.find((line) => line.id === 'gateway-requests')!.amount, 195);
});

test('what is there once for all is borne in equal parts where all were there as long', () => {
  const fargate = openBook('aws-fargate-x86');
  const one = usedOf({ mode: 'service', component: 'a' });
  const alone = amounts(billOf(one, fargate))['load-balancer'];
  const shared = billsOf([one, { ...one, component: 'b' }], fargate).map(
    (bill) => amounts(bill)['load-balancer'],
  );
  assert.equal(alone, 16.425);
  assert.deepEqual(shared, [8.2125, 8.2125]);
});

test('one component among several may have settings of its own, whatever it is called', () => {
  const fargate = openBook('aws-fargate-x86');
  const named = (component: string): Used => usedOf({ mode: 'service', component });
  const hours = (options: BillOptions): number[] =>
    billsOf([named('a'), named('constructor')], fargate, options).map(
      (bill) => bill.lines.find(({ id }) => id === 'vcpu-hours')!.quantity,
    );
  const [alike] = hours({});
  assert.deepEqual(hours({ components: { a: { minReplicas: 3 } } }), [alike! * 3, alike]);
  assert.deepEqual(hours({ minReplicas: 2, components: { a: { minReplicas: 3 } } }), [
    alike! * 3,
    alike! * 2,
  ]);
});

test('fees are in, and each can be left out: by its id, or a line of it alone', () => {
  const used = usedOf({ mode: 'service', executed: 1e6 });
  const ids = (without: string[]): string[] =>
    billOf(used, openBook('aws-fargate-x86'), { without }).lines.map((line) => line.id);
  assert.deepEqual(ids([]), ['vcpu-hours', 'gb-hours', 'load-balancer', 'load-balancer-capacity']);
  assert.deepEqual(ids(['load-balancer-capacity']), ['vcpu-hours', 'gb-hours', 'load-balancer']);
  assert.deepEqual(ids(['load-balancer']), ['vcpu-hours', 'gb-hours']);
});

test('calls by other components pass no gateway; what was refused has passed it', () => {
  const used = usedOf({ executed: 3e6, internal: 2e6, refused: 5e5 });
  assert.deepEqual(amounts(billOf(used, LAMBDA)), { requests: 0.6, 'gateway-requests': 1.5 });
});

test('bytes make a load balancer’s units where they weigh more than connections', () => {
  const used = usedOf({ mode: 'service', executed: 3600, bytesOut: 730 * 2 * GB });
  const bill = billOf(used, openBook('aws-fargate-x86'));
  assert.equal(amounts(bill)['load-balancer-capacity'], 730 * 2 * 0.008);
});

test('a part of a month has that part of what is a month’s', () => {
  const workers = openBook('cloudflare-workers');
  const week = usedOf({ toMs: FROM_MS + MONTH_MS / 4, executed: 5e6, cpuMs: 1 });
  assert.deepEqual(amounts(billOf(week, workers)), { requests: 0.75, 'cpu-ms': 0, month: 1.25 });
  const february = { fromMs: Date.UTC(2026, 1), toMs: Date.UTC(2026, 2) };
  assert.equal(amounts(billOf({ ...week, ...february }, workers))['month'], 5);
});

test('kept ready all the time at Lambda, at their own prices; while they wait at Cloud Run, at those of waiting', () => {
  const used = usedOf({ executed: 1e5, wholeMs: 1e8, hundredsMs: 1e8, memoryBytes: GB });
  const options: BillOptions = {
    provisioned: { instances: 1, runMs: 1e8 },
    without: ['gateway', 'requests'],
  };
  assert.deepEqual(amounts(billOf(used, LAMBDA, options)), {
    'ready-gb-seconds': Number(((MONTH_MS / 1000) * 0.0000041667).toFixed(6)),
    'ready-run-gb-seconds': 0.97222,
  });
  assert.deepEqual(amounts(billOf(used, openBook('google-cloud-run-requests'), options)), {
    'gb-seconds': 0.25,
    'vcpu-seconds': 2.4,
    'ready-gb-seconds': 6.32,
    'ready-vcpu-seconds': 6.32,
  });
});

test('what instances share is billed once where the provider does so', () => {
  const used = usedOf({
    executed: 10,
    wholeMs: 1000,
    hundredsMs: 1000,
    instances: { livedMs: 300, started: 1 },
  });
  const run = openBook('google-cloud-run-requests');
  const seconds = (book: typeof run, concurrency: number): number =>
    billOf(used, book, { concurrency }).lines.find((line) => line.id === 'gb-seconds')!.quantity;
  assert.equal(seconds(run, 1), 0.125);
  assert.equal(seconds(run, 4), 0.0375);
  assert.equal(seconds(LAMBDA, 4), 0.125);
});

test('CPU time takes longer on a part of a vCPU: said, or counted', () => {
  const used = usedOf({ executed: 1, wholeMs: 1000, cpuMs: 500, memoryBytes: GB / 2 });
  const vcpu = 0.578858 / 2;
  const quantity = (options: BillOptions): number =>
    billOf(used, LAMBDA, options).lines.find((line) => line.id === 'gb-seconds')!.quantity;
  assert.equal(quantity({}), 0.5);
  assert.ok(Math.abs(quantity({ providerCpu: true }) - (0.5 + 500 / vcpu / 1000) / 2) < 1e-9);
  assert.match(
    billOf(used, LAMBDA).assumptions.join('\n'),
    /512 MB come with 0\.29 vCPU, on which CPU time takes up to 3\.5 times/,
  );
  assert.doesNotMatch(billOf(used, LAMBDA, { measuredThere: true }).assumptions.join('\n'), /vCPU/);
});

test('replicas that have nothing to do cost less where the provider says so', () => {
  const quiet = usedOf({ mode: 'service', memoryBytes: GB / 2, instances: { livedMs: 1 } });
  const apps = openBook('azure-container-apps');
  // 730 × 0.25 × 0.0108 + 730 × 0.5 × 0.0108
  assert.deepEqual(amounts(billOf(quiet, apps)), { 'idle-vcpu-hours': 1.971, 'idle-gb-hours': 3.942 });
  const minute = usedOf({
    mode: 'service',
    memoryBytes: GB / 2,
    toMs: FROM_MS + 60_000,
    load: [minuteAt(0, { workMs: 60_000 })],
    wholeMs: 60_000,
  });
  const idle = billOf(minute, apps).lines.find((line) => line.id === 'idle-gb-hours')!;
  // With one request at work on average there is none for e^-1 of the time.
  assert.ok(Math.abs(idle.quantity - (0.5 / 60) * Math.exp(-1)) < 1e-9);
});

test('spare capacity is at the share of the price that was given, and said to be', () => {
  const used = usedOf({ mode: 'service' });
  const fargate = openBook('aws-fargate-x86');
  const options: BillOptions = { without: ['load-balancer'], memoryBytes: GB / 2 };
  assert.equal(billOf(used, fargate, options).total, 9.01);
  const spot = billOf(used, fargate, { ...options, spotFactor: 0.3 });
  assert.equal(spot.total, 2.7);
  assert.match(spot.assumptions.join('\n'), /spare capacity at 0\.3 of the price/);
});

test('short lives are billed their minimum', () => {
  const stretch = { fromMs: FROM_MS, toMs: FROM_MS + 60_000 };
  const used = usedOf({
    mode: 'service',
    ...stretch,
    memoryBytes: GB / 2,
    instances: { started: 3, livedMs: 60_000 },
  });
  const hours = billOf({ ...used, toMs: FROM_MS + 10_000 }, openBook('aws-fargate-x86')).lines[1]!.quantity;
  assert.equal(hours, (60 / 3600) * 0.5);
});

test('a machine of one’s own is borne by what each component uses of it', () => {
  const own = openBook('own-machine');
  const busy = usedOf({ component: 'busy', cpuMs: 0.4 * MONTH_MS, memoryBytes: GB / 8 });
  const quiet = usedOf({ component: 'quiet', cpuMs: 0.1 * MONTH_MS, memoryBytes: GB / 8 });
  const [first, second] = billsOf([busy, quiet], own);
  assert.deepEqual(amounts(first!), { machines: 32, operation: 96 });
  assert.deepEqual(amounts(second!), { machines: 8, operation: 24 });
  // 6 vCPUs at the peak need 3 of 4 vCPUs, as they are filled to 70 %.
  const peak = usedOf({ load: [minuteAt(0, { cpuMs: 6 * 60_000 })] });
  assert.equal(amounts(billOf(peak, own))['machines'], 3 * 40);
});

test('what a book does not sell is refused with its reason', () => {
  const service = usedOf({ mode: 'service' });
  const huge = usedOf({ wholeMs: 1, memoryBytes: 11 * GB });
  const why = (used: Used, id: string, options: BillOptions = {}): string | null =>
    whyNotSold(used, openBook(id), options);
  assert.equal(why(service, 'aws-lambda-x86'), 'AWS Lambda, x86 sells no services.');
  assert.equal(why(usedOf(), 'aws-ec2'), 'AWS EC2 sells no functions.');
  assert.equal(
    why(huge, 'aws-lambda-x86'),
    'AWS Lambda, x86 sells functions of up to 10240 MB, and catalog has 11264 MB.',
  );
  assert.match(
    why(usedOf(), 'azure-functions-consumption', { provisioned: { instances: 1 } })!,
    /no instances ready/,
  );
  assert.match(why({ ...huge, mode: 'service' }, 'own-machine')!, /has 8 GB, and catalog has 11 GB/);
  assert.throws(() => billOf(service, LAMBDA), { code: 'usage', message: /sells no services/ });
});

const some = fc.record({
  executed: fc.integer({ min: 0, max: 1e9 }),
  internal: fc.integer({ min: 0, max: 1000 }),
  averageMs: fc.integer({ min: 1, max: 20_000 }),
  cpuShare: fc.double({ min: 0, max: 1, noNaN: true }),
  bytesOut: fc.integer({ min: 0, max: 1e12 }),
  busiest: fc.integer({ min: 0, max: 500 }),
});
type Some = typeof some extends fc.Arbitrary<infer T> ? T : never;

/** All of it within three minutes of a month. */
function traffic(mode: 'function' | 'service', list: readonly Some[]): Used {
  const sum = (of: (each: Some) => number): number => list.reduce((total, each) => total + of(each), 0);
  const wholeMs = sum((each) => each.executed * each.averageMs);
  const executed = sum((each) => each.executed);
  const cpuMs = sum((each) => each.executed * each.averageMs * each.cpuShare);
  const busiest = sum((each) => each.busiest);
  return usedOf({
    mode,
    executed,
    internal: Math.min(
      executed,
      sum((each) => each.internal),
    ),
    wholeMs,
    hundredsMs: sum((each) => each.executed * Math.ceil(each.averageMs / 100) * 100),
    cpuMs,
    bytesOut: sum((each) => each.bytesOut),
    durations: list.map((each) => [each.averageMs, each.executed]),
    instances: { livedMs: wholeMs },
    load: [0, 1, 2].map((at) =>
      minuteAt(at, { executed: executed / 3, workMs: wholeMs / 3, cpuMs: cpuMs / 3, busiest }),
    ),
    memoryBytes: 128 * MB,
  });
}

for (const book of shippedBooks()) {
  const modes = (['function', 'service'] as const).filter(
    (mode) => whyNotSold(usedOf({ mode }), book) === null,
  );
  for (const mode of modes)
    test(`${book.id}, ${mode}: more traffic never costs less, and no line is negative`, () => {
      fc.assert(
        fc.property(some, some, fc.boolean(), (first, second, freeTier) => {
          const options: BillOptions = { freeTier, concurrency: 10 };
          const less = billOf(traffic(mode, [first]), book, options);
          const more = billOf(traffic(mode, [first, { ...second, internal: 0 }]), book, options);
          assert.ok(more.total >= less.total, `${less.total} and then ${more.total}`);
          for (const line of more.lines) assert.ok(line.amount >= 0 && line.free >= 0, line.id);
        }),
        { seed: 9, numRuns: 60 },
      );
    });
}

test('any number of components share a bill to the cent', () => {
  fc.assert(
    fc.property(fc.array(some, { minLength: 1, maxLength: 6 }), fc.boolean(), (list, freeTier) => {
      const options: BillOptions = { freeTier };
      const apart = billsOf(
        list.map((each) => traffic('function', [{ ...each, internal: 0 }])),
        LAMBDA,
        options,
      );
      const together = billOf(
        traffic(
          'function',
          list.map((each) => ({ ...each, internal: 0 })),
        ),
        LAMBDA,
        options,
      );
      // Shares of a division are doubles: half a cent may fall to either side.
      assert.ok(Math.abs(totalOf(apart) - together.total) <= 0.01 + together.total * 1e-12);
    }),
    { seed: 9, numRuns: 100 },
  );
});

test('whatever a bill is made of may be left out by a name that is known', () => {
  const busy = { executed: 3.6e6, wholeMs: 3.6e8, hundredsMs: 3.6e8, cpuMs: 1e8, bytesOut: GB };
  const options: BillOptions = { provisioned: { instances: 1, runMs: 1e6 }, diskGb: 30 };
  for (const book of shippedBooks()) {
    const known = lineIdsOf(book);
    for (const mode of ['function', 'service'] as const) {
      const used = usedOf({ ...busy, mode });
      for (const each of [{}, options]) {
        if (whyNotSold(used, book, each) !== null) continue;
        for (const { id } of billOf(used, book, each).lines) {
          assert.ok(known.includes(id), `${book.id} has a line ${id}`);
          assert.ok(billOf(used, book, { ...each, without: [id] }).lines.every((line) => line.id !== id));
        }
      }
    }
  }
});

describe('what is there once for all', () => {
  const fargate = openBook('aws-fargate-x86');
  const HOUR_MS = 3_600_000;
  const service = (component: string, fromHour: number, toHour: number): Used =>
    usedOf({
      mode: 'service',
      component,
      fromMs: FROM_MS + fromHour * HOUR_MS,
      toMs: FROM_MS + toHour * HOUR_MS,
    });
  const balancers = (...used: readonly Used[]): number[] =>
    billsOf(used, fargate).map((bill) => amounts(bill)['load-balancer']!);

  test('is paid for as long as anything was there, in stretches apart as well', () => {
    assert.deepEqual(balancers(service('a', 0, 10), service('a', 30, 50)), [0.225, 0.45]);
    assert.deepEqual(balancers(service('a', 0, 10), service('b', 10, 20)), [0.225, 0.225]);
    // 30 hours in all, borne by 20 and 20.
    assert.deepEqual(balancers(service('a', 0, 20), service('b', 10, 30)), [0.3375, 0.3375]);
  });

  test('has lines whose quantities are those that were priced', () => {
    for (const { lines } of billsOf([service('a', 0, 20), service('b', 10, 40)], fargate)) {
      for (const { id, quantity, parts } of lines) {
        const priced = parts.reduce((sum, part) => sum + part.quantity, 0);
        assert.ok(Math.abs(priced - quantity) < 1e-9, `${id}: ${priced} of ${quantity}`);
      }
    }
  });

  test('has no machine for a component that was not there in both modes at a time', () => {
    const machine = openBook('own-machine');
    const large = { memoryBytes: machine.machine!.gb * 0.6 * GB, wholeMs: 1_000 };
    const half = MONTH_MS / 2;
    const asFunction = usedOf({ ...large, toMs: FROM_MS + half });
    const asService = usedOf({ ...large, mode: 'service', fromMs: FROM_MS + half });
    const machines = (...used: readonly Used[]): number =>
      billsOf(used, machine).reduce((sum, { lines }) => sum + lines[0]!.quantity, 0);
    assert.equal(machines(asFunction, asService), 1);
    assert.equal(machines(asFunction, { ...asService, component: 'other' }), 2);
  });

  test('of a machine is borne by how long each was on it', () => {
    const on = (used: Used): Used => ({
      ...used,
      instances: { ...used.instances, livedMs: used.toMs - used.fromMs },
    });
    const [short, long] = billsOf(
      [on(service('short', 0, 73)), on(service('long', 0, 657))],
      openBook('own-machine'),
      { months: 1, without: ['operation'] },
    );
    assert.equal(short!.total, 4);
    assert.equal(long!.total, 36);
  });

  test('is of as many months as it is said that the account is billed for', () => {
    const week = usedOf({ toMs: FROM_MS + MONTH_MS / 4, executed: 5e6 });
    const of = (options: BillOptions): number =>
      amounts(billOf(week, LAMBDA, { without: ['gateway'], ...options }))['requests']!;
    assert.equal(of({ freeTier: true }), 0.95);
    assert.equal(of({ freeTier: true, months: 1 }), 0.8);
    assert.equal(amounts(billOf(week, openBook('cloudflare-workers'), { months: 1 }))['month'], 5);
  });
});
