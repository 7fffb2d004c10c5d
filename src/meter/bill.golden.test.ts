import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bill, BillLine } from '../model/bill.ts';
import { billOf, centsOf } from './bill.ts';
import { openBook } from './price-book.ts';
import { FROM_MS, GB, MONTH_MS, usedOf } from './testing/used.ts';

/** Amounts that the providers' own examples come to, or that were worked out by hand from their lists. */

function line(bill: Bill, id: string): BillLine {
  const found = bill.lines.find((each) => each.id === id);
  assert.ok(found, `${id} among ${bill.lines.map((each) => each.id).join(', ')}`);
  return found;
}

/** As a person reads it. */
function cents(amount: number): string {
  return centsOf(amount).toFixed(2);
}

/** Work of one GB: as many GB-seconds as seconds. */
function gbSeconds(seconds: number): ReturnType<typeof usedOf> {
  return usedOf({ wholeMs: seconds * 1000, memoryBytes: GB });
}

test('Lambda x86: 46.44 billion GB-s in the third tier are $619,203.10', () => {
  const bill = billOf(gbSeconds(15e9 + 46.44e9), openBook('aws-lambda-x86'));
  const parts = line(bill, 'gb-seconds').parts.map((part) => [part.quantity, part.price, cents(part.amount)]);
  assert.deepEqual(parts, [
    [6e9, 0.0000166667, '100000.20'],
    [9e9, 0.000015, '135000.00'],
    [46.44e9, 0.0000133334, '619203.10'],
  ]);
  assert.equal(bill.total, 854_203.3);
});

test('Lambda arm: 56.002 billion GB-s in the third tier are $597,356.53', () => {
  const bill = billOf(gbSeconds(18.75e9 + 56.002e9), openBook('aws-lambda-arm'));
  const parts = line(bill, 'gb-seconds').parts.map((part) => [part.quantity, cents(part.amount)]);
  assert.deepEqual(parts, [
    [7.5e9, '100000.50'],
    [11.25e9, '135001.13'],
    [56.002e9, '597356.53'],
  ]);
  // 100,000.50 + 135,001.125 + 597,356.5334: the cents of the sum are not those of the parts.
  assert.equal(bill.total, 832_358.16);
});

test('Lambda arm, kept ready: 9 million GB-s held, 1.75 million run, 10 million requests', () => {
  // 2.5 hours' multiples of 5 minutes: 9 million seconds of one GB are not a multiple of a month, so the stretch is that long.
  const used = usedOf({
    toMs: FROM_MS + 9e6 * 1000,
    executed: 10e6,
    wholeMs: 1.75e6 * 1000,
    memoryBytes: GB,
  });
  const bill = billOf(used, openBook('aws-lambda-arm'), {
    provisioned: { instances: 1, runMs: 1.75e9 },
    without: ['gateway'],
    freeTier: true,
  });
  assert.deepEqual(
    bill.lines.map((each) => [each.id, each.quantity, cents(each.amount)]),
    [
      ['requests', 10, '2.00'],
      ['ready-gb-seconds', 9e6, '30.00'],
      ['ready-run-gb-seconds', 1.75e6, '13.61'],
    ],
  );
  assert.ok(
    bill.lines.every((each) => each.free === 0),
    'no free tier with instances that are kept ready',
  );
});

test('Fargate: 1 vCPU and 2 GB for 730 hours are $29.55 and $6.49', () => {
  const used = usedOf({ mode: 'service', cpuMs: MONTH_MS * 0.6, wholeMs: MONTH_MS * 0.6 });
  const bill = billOf(used, openBook('aws-fargate-x86'), {
    memoryBytes: 2 * GB,
    without: ['load-balancer', 'load-balancer-capacity'],
  });
  assert.deepEqual(
    bill.lines.map((each) => [each.id, each.quantity, cents(each.amount)]),
    [
      ['vcpu-hours', 730, '29.55'],
      ['gb-hours', 1460, '6.49'],
    ],
  );
  assert.equal(bill.total, 36.04);
});

test('Azure Consumption: 876,180.4425 GB-s without the free tier are $14.02', () => {
  const bill = billOf(gbSeconds(876_180.4425), openBook('azure-functions-consumption'));
  assert.equal(bill.total, 14.02);
  const free = billOf(gbSeconds(876_180.4425), openBook('azure-functions-consumption'), { freeTier: true });
  assert.equal(line(free, 'gb-seconds').free, 400_000);
  // 476,180.4425 × 0.000016 = 7.61888708
  assert.equal(free.total, 7.62);
});

test('where a service on Fargate begins to be cheaper than Lambda', () => {
  const lambda = openBook('aws-lambda-x86');
  const service = billOf(usedOf({ mode: 'service' }), openBook('aws-fargate-x86'), {
    memoryBytes: GB / 2,
    without: ['load-balancer'],
  });
  const perSecond = service.lines.reduce((sum, each) => sum + each.amount, 0) / 730 / 3600;
  const breakEven = (memoryBytes: number, ms: number): number => {
    const million = usedOf({ executed: 1e6, wholeMs: 1e6 * ms, memoryBytes });
    const bill = billOf(million, lambda, { without: ['gateway'] });
    return perSecond / (bill.lines.reduce((sum, each) => sum + each.amount, 0) / 1e6);
  };
  assert.equal(breakEven(GB / 8, 50).toFixed(2), '11.27');
  assert.equal(breakEven(GB / 2, 100).toFixed(3), '3.318');
  assert.equal(breakEven(GB, 400).toFixed(3), '0.499');
});

interface Vector {
  readonly book: string;
  readonly what: string;
  readonly used: ReturnType<typeof usedOf>;
  readonly options?: Parameters<typeof billOf>[2];
  readonly lines: Readonly<Record<string, string>>;
  readonly total: string;
}

const VECTORS: readonly Vector[] = [
  {
    book: 'google-cloud-run-requests',
    what: '10 M requests of 200 ms, 1 vCPU and 512 MB',
    used: usedOf({ executed: 10e6, wholeMs: 2e9, hundredsMs: 2e9, memoryBytes: GB / 2 }),
    lines: { requests: '4.00', 'gb-seconds': '2.50', 'vcpu-seconds': '48.00' },
    total: '54.50',
  },
  {
    book: 'google-cloud-run-requests',
    what: 'the same with what is free',
    used: usedOf({ executed: 10e6, wholeMs: 2e9, hundredsMs: 2e9, memoryBytes: GB / 2 }),
    options: { freeTier: true },
    // 8 M × 0.40; (1,000,000 − 360,000) × 0.0000025; (2,000,000 − 180,000) × 0.000024
    lines: { requests: '3.20', 'gb-seconds': '1.60', 'vcpu-seconds': '43.68' },
    total: '48.48',
  },
  {
    book: 'google-cloud-run-instances',
    what: 'one instance of 1 vCPU and 512 MB all month',
    used: usedOf({ mode: 'service' }),
    options: { memoryBytes: GB / 2 },
    // 730 × 0.0648; 365 × 0.0072
    lines: { 'vcpu-hours': '47.30', 'gb-hours': '2.63' },
    total: '49.93',
  },
  {
    book: 'cloudflare-workers',
    what: '15 M requests with 7 ms of CPU time each',
    used: usedOf({ executed: 15e6, wholeMs: 15e6 * 50, cpuMs: 15e6 * 7 }),
    // (105 − 30) × 0.02; (15 − 10) × 0.30
    lines: { requests: '1.50', 'cpu-ms': '1.50', month: '5.00' },
    total: '8.00',
  },
  {
    book: 'azure-functions-flex',
    what: '2 M of 1 s and 512 MB',
    used: usedOf({
      executed: 2e6,
      wholeMs: 2e9,
      hundredsMs: 2e9,
      durations: [[1000, 2e6]],
      memoryBytes: GB / 2,
    }),
    lines: { requests: '0.80', 'gb-seconds': '26.00' },
    total: '26.80',
  },
  {
    book: 'cloudflare-containers',
    what: 'the smallest all month, with its disk and 10 hours of CPU time',
    used: usedOf({
      mode: 'service',
      memoryBytes: GB / 4,
      cpuMs: 36e6,
      wholeMs: 36e6,
      instances: { livedMs: MONTH_MS },
    }),
    // (10 − 6.25) × 0.072; (182.5 − 25) × 0.009; (1,460 − 200) × 0.000252
    lines: { 'vcpu-hours': '0.27', 'gb-hours': '1.42', disk: '0.32', month: '5.00' },
    total: '7.01',
  },
  {
    book: 'aws-lambda-managed',
    what: 'one m5.large and 10 M requests, behind a function URL',
    used: usedOf({ mode: 'service', executed: 10e6, memoryBytes: GB, instances: { livedMs: MONTH_MS } }),
    options: { without: ['gateway'] },
    lines: { 'machine-hours-m5.large': '70.08', surcharge: '10.51', requests: '2.00' },
    total: '82.59',
  },
  {
    book: 'aws-ec2',
    what: 'a t3.micro behind a load balancer with 2.5 requests a second',
    used: usedOf({
      mode: 'service',
      executed: 2.5 * 730 * 3600,
      memoryBytes: GB / 2,
      instances: { livedMs: MONTH_MS },
    }),
    // 730 × 0.0104; 730 × 0.0225; 0.1 units × 730 × 0.008
    lines: { 'machine-hours-t3.micro': '7.59', 'load-balancer': '16.43', 'load-balancer-capacity': '0.58' },
    total: '24.60',
  },
  {
    book: 'own-machine',
    what: 'one for a month',
    used: usedOf({ executed: 1e6, wholeMs: 1e8, cpuMs: 1e7 }),
    lines: { machines: '40.00', operation: '120.00' },
    total: '160.00',
  },
];

for (const { book, what, used, options, lines, total } of VECTORS) {
  test(`${book}: ${what}, $${total}`, () => {
    const bill = billOf(used, openBook(book), options);
    assert.deepEqual(Object.fromEntries(bill.lines.map((each) => [each.id, cents(each.amount)])), lines);
    assert.equal(cents(bill.total), total);
  });
}

test('every line is what its parts say, and the total is of the lines', () => {
  for (const { book, used, options } of VECTORS) {
    const bill = billOf(used, openBook(book), options);
    for (const each of bill.lines) {
      const parts = each.parts.reduce((sum, part) => sum + part.quantity, 0);
      assert.ok(Math.abs(parts + each.free - each.quantity) <= each.quantity * 1e-12, `${book} ${each.id}`);
      for (const part of each.parts)
        assert.ok(Math.abs(part.amount - part.quantity * part.price) <= part.amount * 1e-12);
    }
  }
});

test('unverified prices are marked on the lines that rest on them', () => {
  const marks = (id: string, mode: 'function' | 'service'): Record<string, boolean> => {
    const used = usedOf({ mode, executed: 1e6, wholeMs: 1e8, hundredsMs: 1e8, memoryBytes: GB / 2 });
    return Object.fromEntries(billOf(used, openBook(id)).lines.map((each) => [each.id, each.verified]));
  };
  assert.deepEqual(marks('aws-lambda-x86', 'function'), {
    requests: true,
    'gb-seconds': true,
    'gateway-requests': true,
  });
  assert.deepEqual(marks('azure-functions-consumption', 'function'), {
    requests: true,
    // The price is as read, the least of 100 ms is not.
    'gb-seconds': false,
  });
  assert.deepEqual(marks('azure-container-apps', 'service'), {
    'vcpu-hours': false,
    'gb-hours': false,
    'idle-vcpu-hours': false,
    'idle-gb-hours': false,
    requests: false,
  });
});
