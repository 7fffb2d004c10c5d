import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openBook } from '../../meter/price-book.ts';
import { DEFAULT_ADVISOR, functionSettings, serviceSettings } from '../../config/defaults.ts';
import type { UnitFacts } from '../../model/advice-facts.ts';
import type { Traffic } from '../../model/simulation.ts';
import { poisson } from '../testing/traffic.ts';
import { advise } from './advise.ts';
import type { AdviceProgress, AdviceRequest } from './request.ts';
import { adviseInThread } from './thread.ts';

const HOUR_MS = 3_600_000;

/** Six hours of so many a second, 50 ms each. */
function steady(perSecond: number, cpuShare = 0.02): Traffic {
  const traffic = poisson({
    count: Math.round(perSecond * 6 * 3_600),
    pauseMs: 1_000 / perSecond,
    durationMs: 50,
    cpuShare,
    seed: 4,
  });
  return { ...traffic, toMs: Math.max(traffic.toMs, traffic.fromMs + 6 * HOUR_MS) };
}

function request(
  traffic: Traffic,
  o: Partial<AdviceRequest> = {},
  facts: Partial<UnitFacts> = {},
): AdviceRequest {
  return {
    facts: {
      unit: 'orders',
      members: ['orders'],
      kind: 'module',
      modeSetting: 'function',
      mode: 'function',
      modeSinceMs: 0,
      function: functionSettings({}),
      service: { ...serviceSettings({}), memoryBytes: 128 * 1024 ** 2, maxReplicas: 20 },
      objective: { p99Ms: null },
      triggers: { routes: 1, events: [], schedules: [], callers: [] },
      sockets: false,
      storage: [],
      findings: null,
      deploys: { count: 0, days: 0 },
      calls: [],
      startsMs: { function: [], service: [] },
      ...facts,
    },
    source: 'usage',
    exists: true,
    traffic: { kind: 'arrivals', traffic },
    measured: [],
    gapsMs: 0,
    settings: DEFAULT_ADVISOR,
    books: DEFAULT_ADVISOR.books.map(openBook),
    seed: 1,
    detail: 'verdict',
    samples: 200,
    freeTier: false,
    without: ['load-balancer', 'gateway'],
    doubt: null,
    ...o,
  };
}

describe('advice', () => {
  test('keeps what is seldom called a function, and says how far the service is off', () => {
    const { verdict, modes, breakEven, evidence } = advise(request(steady(0.5)));
    assert.equal(evidence.blocks, 6);
    assert.equal(verdict.kind, 'keep');
    assert.ok(verdict.kind === 'keep' && verdict.mode === 'function' && verdict.because === 'cheapest');
    assert.equal(verdict.certainty, 1);
    // A quarter of a vCPU for a month of 730 hours.
    assert.ok(Math.abs(modes.service.perMonth!.mid - 730 * 0.0123425) < 0.02);
    const { low, mid, high } = modes.function.perMonth!;
    assert.ok(low < mid && mid < high && high < 2 * low);
    // The price facts have 11.27 a second for 128 MB and 50 ms.
    assert.ok(Math.abs(breakEven!.perSecond / 11.27 - 1) < 0.1, `${breakEven!.perSecond}`);
  });

  test('makes a service of what is called all the time', () => {
    const { verdict, modes } = advise(request(steady(30)));
    assert.ok(verdict.kind === 'switch' && verdict.mode === 'service', JSON.stringify(verdict));
    assert.ok(verdict.saves!.low > 0);
    const lines = modes.function.lines.reduce((sum, { amount }) => sum + amount, 0);
    assert.ok(Math.abs(lines - modes.function.perMonth!.mid) < 0.001, 'the middle is what the lines come to');
  });

  test('counts hours of operations', () => {
    const operations = { hoursPerMonth: { function: 0, service: 1 }, perHour: 50 };
    const settings = { ...DEFAULT_ADVISOR, operations };
    const { verdict, modes } = advise(request(steady(30), { settings }));
    assert.equal(modes.service.operations, 50);
    assert.ok(verdict.kind === 'keep' && verdict.mode === 'function');
  });

  test('gives no verdict that its own replay shows to miss the objective', () => {
    const objectives = [1, 150, 400];
    const told = objectives.map((p99Ms) => advise(request(steady(30), {}, { objective: { p99Ms } })));
    for (const [i, { verdict, modes }] of told.entries()) {
      if ('mode' in verdict) assert.ok(modes[verdict.mode].p99Ms!.mid <= objectives[i]!);
    }
    assert.deepEqual(told[0]!.verdict, { kind: 'neither', because: 'objective' });
    assert.equal(told[0]!.modes.function.meetsObjective, 0);
    assert.equal(told[2]!.modes.function.meetsObjective, 1);
  });

  test('is not given on thin evidence, but with what there is', () => {
    const few = advise(request(steady(0.001)));
    assert.ok(few.verdict.kind === 'not-enough-evidence' && few.verdict.missing.length === 1);
    assert.match(few.verdict.missing[0]!, /28 more invocations: it has 22/);
    const traffic = steady(0.5);
    const none = {
      ...traffic,
      arrivedAtMs: new Float64Array(),
      durationMs: new Float32Array(),
      cpuMs: new Float32Array(),
    };
    const nothing = advise(request({ ...none, toMs: none.fromMs + 60_000 }));
    assert.ok(nothing.verdict.kind === 'not-enough-evidence' && nothing.verdict.missing.length === 2);
    assert.deepEqual(nothing.modes.function.perMonth, { low: 0, mid: 0, high: 0 });
    assert.ok(nothing.modes.service.perMonth!.mid > 8);
    assert.equal(nothing.modes.function.p99Ms, null);
    assert.equal(nothing.breakEven, null);
  });

  test('is the same each time, in a thread, too, which tells how far it is', async () => {
    const asked = request(steady(2), { detail: 'whole' });
    const seen = new Set<AdviceProgress['step']>();
    const threaded = await adviseInThread(asked, ({ step }) => seen.add(step));
    assert.deepEqual(threaded, advise(asked));
    assert.ok(seen.has('replaying') && seen.has('curve'));
    const rates = threaded.curve!.points.map(({ perSecond }) => perSecond);
    assert.deepEqual(
      rates,
      rates.toSorted((a, b) => a - b),
    );
    assert.ok(rates[0]! < threaded.curve!.here && rates.at(-1)! > threaded.breakEven!.perSecond);
  });

  test('in a thread ends with the signal, and with what cannot be replayed', async () => {
    const asked = request(steady(2));
    const controller = new AbortController();
    const advice = adviseInThread(asked, () => undefined, controller.signal);
    controller.abort(new Error('enough'));
    await assert.rejects(advice, /enough/);
    await assert.rejects(
      adviseInThread(asked, () => undefined, controller.signal),
      /enough/,
    );
    const wrong = { ...steady(2), durationMs: new Float32Array(1) };
    await assert.rejects(adviseInThread(request(wrong)), { code: 'bad-request' });
  });

  test('of minutes is the same question', () => {
    const traffic = {
      component: 'orders',
      fromMs: Date.UTC(2026, 10, 2),
      invocations: Array<number>(360).fill(30),
      duration: { quantilesMs: [20, 50, 80] },
      cpuShare: 0.1,
    };
    const asked = request(steady(1), { traffic: { kind: 'minutes', traffic, times: 2 } });
    const { evidence, modes, verdict } = advise(asked);
    assert.equal(evidence.arrivals, 360 * 60);
    assert.equal(modes.function.executed, 360 * 60);
    assert.ok(verdict.kind === 'keep' && verdict.mode === 'function');
  });
});
