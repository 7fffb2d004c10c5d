import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { machineBook } from '../../meter/machine-book.ts';
import { openBook } from '../../meter/price-book.ts';
import { Sketch } from '../../meter/sketch.ts';
import type { UnitFacts } from '../../model/advice-facts.ts';
import type { BillReport, BillScenario } from '../../model/bill-report.ts';
import type { InstancesLine, MinuteLine, UsageLine } from '../../model/usage-export.ts';
import type { OwnUsage } from '../own/own-usage.ts';
import { readOwnUsage } from '../own/read-own-usage.ts';
import { streamOf, unitFacts, usageLines, type Ran } from '../testing/usage-export.ts';
import { EPOCH_MS } from '../testing/traffic.ts';
import { billReport, type BillRequest } from './bill-report.ts';
import { chargesOf } from './charges.ts';
import { unitDays, unitDaysInSteps } from './unit-days.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MB = 1024 ** 2;
const NOVEMBER = { fromMs: Date.UTC(2026, 10, 1), toMs: Date.UTC(2026, 11, 1) };
const BOOKS = ['aws-lambda-x86', 'aws-fargate-x86'].map(openBook);

function request(part: Partial<BillRequest> = {}): BillRequest {
  const without = ['gateway', 'load-balancer'];
  return { books: BOOKS, by: 'component', freeTier: false, without, seed: 1, ...part };
}

function report(usage: OwnUsage, part: Partial<BillRequest> = {}): BillReport {
  return billReport(usage, request(part));
}

function totalOf(told: BillReport, scenario: BillScenario, book: string): number | null {
  return told.offers.find((offer) => offer.scenario === scenario && offer.book === book)!.total;
}

/** A day of 100,000 invocations of 100 ms, half of it CPU time, spread over it. */
function dayLine(day: number, part: Partial<MinuteLine> = {}): MinuteLine {
  const sketch = new Sketch();
  for (let i = 0; i < 100; i++) sketch.add(99.5);
  const encoded = Buffer.from(sketch.encode()).toString('base64');
  return {
    kind: 'minute',
    component: 'orders',
    revision: 'r',
    mode: 'function',
    outcome: 'ok',
    minuteMs: NOVEMBER.fromMs + day * DAY_MS,
    spanMs: DAY_MS,
    count: 100_000,
    cold: 0,
    internal: 0,
    waitedMs: 0,
    startMs: 0,
    durationMs: 9_950_000,
    billedMs: 10_000_000,
    wholeMs: 10_000_000,
    wholeByteMs: 10_000_000 * 128 * MB,
    hundredsMs: 10_000_000,
    cpuMs: 5_000_000,
    bytesIn: 0,
    bytesOut: 0,
    latency: encoded,
    duration: encoded,
    ...part,
  };
}

let plain: Promise<OwnUsage> | null = null;

/** November with such a day each day; nothing is known beside it. Three million arrivals: read once where there is nothing more. */
function november(...more: readonly UsageLine[]): Promise<OwnUsage> {
  return more.length === 0 ? (plain ??= readNovember([])) : readNovember(more);
}

async function readNovember(more: readonly UsageLine[]): Promise<OwnUsage> {
  const days = Array.from({ length: 30 }, (_, day) => dayLine(day));
  const lines: UsageLine[] = [
    {
      kind: 'usage',
      format: 1,
      app: 'shop',
      environment: 'production',
      ...NOVEMBER,
      facts: [],
      settings: null,
    },
    ...days,
    ...more,
  ];
  return readOwnUsage(streamOf([...lines, { kind: 'end', lines: lines.length } as const]));
}

async function usageOf(
  ran: readonly Ran[],
  spanMs: number,
  o: { readonly facts?: readonly UnitFacts[]; readonly more?: readonly UsageLine[] } = {},
): Promise<OwnUsage> {
  return readOwnUsage(streamOf(usageLines(ran, { spanMs, facts: [unitFacts()], ...o })));
}

function replicas(fromMs: number, minutes: number): InstancesLine[] {
  return Array.from({ length: minutes }, (_, i): InstancesLine => ({
    kind: 'instances',
    unit: 'orders',
    revision: 'r1',
    mode: 'service',
    minuteMs: EPOCH_MS + fromMs + i * 60_000,
    spanMs: 60_000,
    started: i === 0 ? 1 : 0,
    livedMs: 60_000,
    heldByteMs: 60_000 * 128 * MB,
    watchedMs: 60_000,
    usedByteMs: 60_000 * 64 * MB,
    cpuMs: 10,
  }));
}

describe('a month of a function', () => {
  test('costs to the cent what the provider would ask', async () => {
    const usage = await november();
    // 3 M requests at $0.20 a million; 3 M × 0.1 s × 0.125 GB at $0.0000166667.
    const told = report(usage);
    assert.equal(totalOf(told, 'as-it-ran', 'aws-lambda-x86'), 1.23);
    assert.equal(totalOf(told, 'function', 'aws-lambda-x86'), 1.23);
    // 1 M requests and 400,000 GB-s are free.
    assert.equal(totalOf(report(usage, { freeTier: true }), 'function', 'aws-lambda-x86'), 0.4);
    // 720 h of 0.25 vCPU at $0.04048 and of 0.5 GB at $0.004445.
    assert.equal(totalOf(told, 'service', 'aws-fargate-x86'), 8.89);
    assert.deepEqual(told.cheapest['as-it-ran'], {
      total: 1.23,
      exact: told.cheapest['as-it-ran']!.exact,
      perMonth: 1.23,
      currency: 'USD',
      books: { function: 'aws-lambda-x86' },
      verified: true,
      basis: 'counted',
    });
  });

  test('tells what was used, and that the other mode is not replayed where nothing is known of it', async () => {
    const told = report(await november());
    const [orders] = told.units;
    assert.equal(orders!.executed, 3_000_000);
    assert.equal(orders!.billedMs, 300_000_000);
    assert.equal(orders!.cpuMs, 150_000_000);
    assert.deepEqual(orders!.modes, ['function']);
    assert.equal(told.offers.find(({ scenario }) => scenario === 'service')!.basis, 'estimated');
    assert.ok(told.notes.some((note) => note.startsWith('orders: not in what serves now')));
  });

  test('has a row for each day, which add up', async () => {
    const told = report(await november(), { by: 'day' });
    assert.equal(told.rows.length, 30);
    assert.deepEqual([told.rows[0]!.name, told.rows[29]!.name], ['2026-11-01', '2026-11-30']);
    const sum = told.rows.reduce((total, row) => total + row.cost['as-it-ran']!, 0);
    assert.ok(Math.abs(sum - told.cheapest['as-it-ran']!.exact) < 1e-9, `${sum}`);
  });

  test('tells of gaps, and of a currency that it does not mix up', async () => {
    const gap = { fromMs: NOVEMBER.fromMs + 5, toMs: NOVEMBER.fromMs + 1_505 };
    const machine = machineBook({ perMonth: 30, currency: 'EUR', vcpu: 4, gb: 8 });
    const told = report(await november({ kind: 'gap', ...gap }), { books: [...BOOKS, machine] });
    assert.deepEqual(told.gaps, [gap]);
    assert.equal(totalOf(told, 'as-it-ran', 'own-machine'), 30);
    assert.equal(told.cheapest['as-it-ran']!.currency, 'USD');
  });
});

describe('the mode that it did not run in', () => {
  const often: Ran[] = Array.from({ length: 720 }, (_, i) => ({
    atMs: i * 10_000,
    durationMs: 50,
    cpuMs: 10,
  }));

  test('is what came, replayed with its settings', async () => {
    const told = report(
      await usageOf(
        often.map((one) => ({ ...one, mode: 'service' })),
        2 * HOUR_MS,
      ),
    );
    const asFunction = told.offers.find(({ scenario }) => scenario === 'function')!;
    assert.equal(asFunction.basis, 'replayed');
    const line = (id: string): number => asFunction.lines.find((one) => one.id === id)!.quantity;
    assert.ok(Math.abs(line('requests') - 720 / 1e6) < 1e-12);
    // An idle instance stays for a second, so that each starts anew: in 10 ms or more.
    assert.ok(line('gb-seconds') > 720 * 0.055 * 0.125, `${line('gb-seconds')}`);
  });

  test('has a service there on days on which nothing came', async () => {
    const told = report(await usageOf(often, 3 * DAY_MS));
    const asService = told.offers.find(({ scenario }) => scenario === 'service')!;
    const hours = asService.lines.find(({ id }) => id === 'vcpu-hours')!.quantity;
    assert.ok(Math.abs(hours - 72 * 0.25) < 0.01, `${hours}`);
  });

  test('is sized by the least replicas and the concurrency that each unit has', async () => {
    // Three at a time on average, and room for what comes unevenly.
    const long: Ran[] = often.map((one) => ({ ...one, durationMs: 30_000, mode: 'service' }));
    const service = unitFacts().service;
    const vcpuHours = async (settings: Partial<typeof service>): Promise<number> => {
      const facts = [unitFacts({ mode: 'service', service: { ...service, ...settings } })];
      const told = report(await usageOf(long, 2 * HOUR_MS, { facts, more: replicas(0, 120) }));
      const ran = told.offers.find(({ scenario, mode }) => scenario === 'as-it-ran' && mode === 'service')!;
      return ran.lines.find(({ id }) => id === 'vcpu-hours')!.quantity;
    };
    assert.equal(await vcpuHours({ minReplicas: 1, concurrency: 100 }), 2 * 0.25);
    assert.equal(await vcpuHours({ minReplicas: 3, concurrency: 100 }), 3 * 2 * 0.25);
    assert.equal(await vcpuHours({ minReplicas: 1, concurrency: 1 }), 5 * 2 * 0.25);
  });

  test('of a day with both is replayed for each, and as it ran each is for as long as it was so', async () => {
    const ran: Ran[] = often.map((one, i) => ({ ...one, mode: i < 360 ? 'function' : 'service' }));
    const told = report(await usageOf(ran, 2 * HOUR_MS, { more: replicas(HOUR_MS, 60) }));
    assert.deepEqual(told.units[0]!.modes, ['service', 'function']);
    const of = (scenario: BillScenario, book: string) =>
      told.offers.find((offer) => offer.scenario === scenario && offer.book === book)!;
    const requests = ({ lines }: BillReport['offers'][number]): number =>
      lines.find(({ id }) => id === 'requests')!.quantity;
    assert.ok(Math.abs(requests(of('as-it-ran', 'aws-lambda-x86')) - 360 / 1e6) < 1e-12);
    assert.ok(Math.abs(requests(of('function', 'aws-lambda-x86')) - 720 / 1e6) < 1e-12);
    const vcpuHours = of('as-it-ran', 'aws-fargate-x86').lines.find(
      ({ id }) => id === 'vcpu-hours',
    )!.quantity;
    assert.ok(Math.abs(vcpuHours - 0.25) < 1e-6, `${vcpuHours}`);
    assert.deepEqual(
      [of('as-it-ran', 'aws-fargate-x86').basis, of('service', 'aws-fargate-x86').basis],
      ['counted', 'replayed'],
    );
  });
});

describe('charges by the day', () => {
  test('add up to the bill of that day, whatever ran', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            component: fc.constantFrom('orders', 'stock'),
            mode: fc.constantFrom('function' as const, 'service' as const),
            atMs: fc.integer({ min: 0, max: HOUR_MS - 1 }),
            durationMs: fc.integer({ min: 1, max: 2_000 }),
          }),
          { minLength: 1, maxLength: 50 },
        ),
        async (ran) => {
          const facts = ['orders', 'stock'].map((unit) => unitFacts({ unit }));
          const usage = await usageOf(ran, HOUR_MS, { facts });
          const asked = request({ by: 'day', without: [] });
          const { rows, offers } = billReport(usage, asked);
          assert.equal(rows.length, 1);
          const charges = [...chargesOf(usage, asked)];
          for (const { scenario, mode, book, exact } of offers) {
            // Of both modes at once there are no books here.
            const sum = charges
              .filter((one) => one.scenario === scenario && one.mode === mode && one.book.id === book)
              .reduce((total, { line }) => total + line.amount, 0);
            assert.ok(Math.abs(sum - exact!) < 1e-9, `${scenario} ${book}: ${sum} is not ${exact}`);
          }
        },
      ),
      { seed: 3, numRuns: 30 },
    );
  });
});

describe('a month in which the mode was changed', () => {
  const service = (day: number, part: Partial<MinuteLine> = {}): MinuteLine =>
    dayLine(day, { mode: 'service', ...part });
  const monthOf = (...lines: readonly UsageLine[]): Promise<OwnUsage> => {
    const all: UsageLine[] = [
      { kind: 'usage', format: 1, app: 'shop', environment: '', ...NOVEMBER, facts: [], settings: null },
      ...lines,
    ];
    return readOwnUsage(streamOf([...all, { kind: 'end', lines: all.length } as const]));
  };
  const hoursOf = (told: BillReport, scenario: BillScenario, id: string): number =>
    told.offers
      .find((offer) => offer.scenario === scenario && offer.book === 'aws-fargate-x86')!
      .lines.find((line) => line.id === id)!.quantity;
  const days = (from: number, to: number, of = service): MinuteLine[] =>
    Array.from({ length: to - from }, (_, i) => of(from + i));

  test('bears what is paid by the hour for each of the stretches in which it was a service', async () => {
    const usage = await monthOf(...days(0, 5), ...days(5, 20, dayLine), ...days(20, 30));
    const told = report(usage, { without: [] });
    assert.equal(hoursOf(told, 'as-it-ran', 'load-balancer'), 15 * 24);
    assert.equal(hoursOf(told, 'as-it-ran', 'vcpu-hours'), 15 * 24 * 0.25);
    assert.equal(hoursOf(told, 'service', 'load-balancer'), 30 * 24);
    // 15 days × 100,000 at $0.20 a million; 15 × 10,000 s × 0.125 GB.
    const lambda = totalOf(report(usage), 'as-it-ran', 'aws-lambda-x86');
    assert.equal(lambda, 0.61);
  });

  test('is no service in a night in which it was a function', async () => {
    const sixHours = { spanMs: 6 * HOUR_MS };
    const evening = NOVEMBER.fromMs + DAY_MS + 18 * HOUR_MS;
    const usage = await monthOf(
      service(0, sixHours),
      dayLine(0, { minuteMs: NOVEMBER.fromMs + 7 * HOUR_MS, spanMs: 60_000 }),
      service(1, { minuteMs: evening, ...sixHours }),
    );
    assert.equal(hoursOf(report(usage, { without: [] }), 'as-it-ran', 'load-balancer'), 12);
    // A server that was away for the night is still the same service.
    const away = await monthOf(service(0, sixHours), service(1, { minuteMs: evening, ...sixHours }));
    assert.equal(hoursOf(report(away, { without: [] }), 'as-it-ran', 'load-balancer'), 48);
  });

  test('has the free amounts and tiers of the whole month, whenever it was called', async () => {
    const usage = await monthOf(...days(0, 10, dayLine));
    for (const scenario of ['as-it-ran', 'function'] as const) {
      // A million requests are free, as many as came; so are all GB-seconds.
      assert.equal(totalOf(report(usage, { freeTier: true }), scenario, 'aws-lambda-x86'), 0, scenario);
    }
  });

  test('has nothing of a component any more that is gone', async () => {
    const told = report(await monthOf(...days(0, 10)), { without: [] });
    for (const scenario of ['as-it-ran', 'service'] as const)
      assert.equal(hoursOf(told, scenario, 'vcpu-hours'), 10 * 24 * 0.25, scenario);
  });

  test('takes what is left of a function without its starts for as large as it was', async () => {
    const told = report(
      await monthOf(...days(0, 30, (day) => dayLine(day, { cold: 50_000, startMs: 9_000_000 }))),
    );
    // 128 MB are the least that is sold, 0.5 GB; ten times as much would be more.
    assert.equal(hoursOf(told, 'service', 'gb-hours'), 720 * 0.5);
  });
});

describe('what each unit used', () => {
  test('is found a day at a time, and tells how far that is', async () => {
    const usage = await november(dayLine(3, { component: 'stock' }));
    const shares: number[] = [];
    const steps = unitDaysInSteps(usage, 1);
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) shares.push(step.value);
    // Of November, and of the rest of a day.
    assert.equal(shares.length, 31);
    assert.equal(shares[0], 0);
    assert.ok(shares.every((share, i) => share < 1 && (i === 0 || share > shares[i - 1]!)));
    assert.deepEqual(step.value, unitDays(usage, 1));
  });
});

describe('days, added up', () => {
  test('are the bill, with what is a month’s and what is free', async () => {
    const machine = machineBook({ perMonth: 40, currency: 'USD', vcpu: 4, gb: 8 });
    const books = [...['aws-lambda-x86', 'cloudflare-workers', 'aws-fargate-x86'].map(openBook), machine];
    const asked = request({ books, freeTier: true, without: [] });
    const usage = await november();
    const { offers } = billReport(usage, asked);
    const charges = [...chargesOf(usage, asked)];
    for (const { scenario, mode, book, exact } of offers) {
      const sum = charges
        .filter(
          (one) => one.scenario === scenario && one.book.id === book && (mode === null || one.mode === mode),
        )
        .reduce((total, { line }) => total + line.amount, 0);
      assert.ok(Math.abs(sum - exact!) < 1e-6, `${scenario} ${book}: ${sum} is not ${exact}`);
    }
  });
});

describe('price facts', () => {
  const priced = async (part: Partial<MinuteLine>, book: string): Promise<BillReport> => {
    const lines: UsageLine[] = [
      { kind: 'usage', format: 1, app: 'shop', environment: '', ...NOVEMBER, facts: [], settings: null },
      dayLine(0, part),
    ];
    const usage = await readOwnUsage(streamOf([...lines, { kind: 'end', lines: lines.length } as const]));
    return report(usage, { books: [openBook(book)] });
  };
  /** So many GB-seconds, at 1 GB. */
  const gbSeconds = (count: number): Partial<MinuteLine> => ({
    wholeMs: count * 1_000,
    hundredsMs: count * 1_000,
    wholeByteMs: count * 1_000 * 1_024 * MB,
  });
  const amountsOf = (told: BillReport, id: string): number[] =>
    told.offers[0]!.lines.find((line) => line.id === id)!.parts.map(({ amount }) =>
      Number(amount.toFixed(2)),
    );

  test('come out of an app’s usage to the cent', async () => {
    const x86 = await priced(gbSeconds(15e9 + 46.44e9), 'aws-lambda-x86');
    assert.equal(amountsOf(x86, 'gb-seconds').at(-1), 619_203.1);
    const arm = await priced(gbSeconds(18.75e9 + 56.002e9), 'aws-lambda-arm');
    assert.equal(amountsOf(arm, 'gb-seconds').at(-1), 597_356.53);
    const azure = await priced(gbSeconds(876_180.4425), 'azure-functions-consumption');
    assert.deepEqual(amountsOf(azure, 'gb-seconds'), [14.02]);
  });

  test('come out of 730 hours of a service that needs 1 vCPU and 2 GB', async () => {
    const toMs = NOVEMBER.fromMs + 730 * HOUR_MS;
    const days = Array.from({ length: 31 }, (_, day): MinuteLine => {
      const spanMs = Math.min(DAY_MS, toMs - NOVEMBER.fromMs - day * DAY_MS);
      // At 60 % of a vCPU, of which a replica is to have 70 % at work at most.
      const part = { spanMs, cpuMs: spanMs * 0.6, wholeByteMs: 10_000_000 * 2_048 * MB };
      return dayLine(day, { mode: 'service', ...part });
    });
    const lines: UsageLine[] = [
      {
        kind: 'usage',
        format: 1,
        app: 'shop',
        environment: '',
        ...NOVEMBER,
        toMs,
        facts: [],
        settings: null,
      },
      ...days,
    ];
    const usage = await readOwnUsage(streamOf([...lines, { kind: 'end', lines: lines.length } as const]));
    const told = report(usage, { books: [openBook('aws-fargate-x86')] });
    assert.equal(told.offers[0]!.scenario, 'as-it-ran');
    assert.deepEqual(amountsOf(told, 'vcpu-hours'), [29.55]);
    assert.deepEqual(amountsOf(told, 'gb-hours'), [6.49]);
  });
});
