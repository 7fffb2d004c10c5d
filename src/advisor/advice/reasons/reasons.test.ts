import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Criterion, Reason } from '../../../model/advice.ts';
import { arrivals, daily, factsOf, finding, MB, requestOf } from '../../testing/advice-request.ts';
import { fakeInput } from '../../testing/fake-advice.ts';
import type { AdviceRequest } from '../request.ts';
import { CRITERIA } from './criteria/criteria.ts';
import type { ReasonInput } from './input.ts';
import { reasonsOf } from './reasons.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

function of(some: Partial<AdviceRequest>): { reasons: Reason[]; of: (criterion: Criterion) => Reason } {
  const reasons = reasonsOf(fakeInput(requestOf(some)));
  return { reasons, of: (criterion) => reasons.find((reason) => reason.criterion === criterion)! };
}

/** Now and then, with 1 GB: such a function costs more than a service once it is at work all of the time. */
function large(): Partial<AdviceRequest> {
  const facts = factsOf();
  return {
    facts: { ...facts, function: { ...facts.function, memoryBytes: 1_024 * MB } },
    traffic: daily(1_000, { durationMs: 10_000, cpuShare: 0.05 }),
  };
}

/** 20 a second for ten minutes, which wait for most of their time. */
function busy(): Partial<AdviceRequest> {
  const spanMs = 10 * MINUTE_MS;
  return {
    traffic: arrivals(
      Array.from({ length: 12_000 }, (_, i) => i * 50),
      { spanMs, durationMs: 200, cpuShare: 0.2 },
    ),
  };
}

test('every criterion has its say, once', () => {
  const { reasons } = of({});
  assert.deepEqual(reasons.map(({ criterion }) => criterion).sort(), Object.keys(CRITERIA).sort());
  for (const { sentence, measured, threshold } of reasons) {
    assert.match(sentence, /^[A-Z0-9].*[.!?]$/s);
    assert.ok(measured.length > 0 && threshold.length > 0);
  }
});

test('too little evidence gives no reasons', () => {
  const input: ReasonInput = {
    ...fakeInput(requestOf()),
    verdict: { kind: 'not-enough-evidence', missing: ['a day'] },
  };
  assert.deepEqual(reasonsOf(input), []);
});

test('what comes now and then is a function for its duty cycle first', () => {
  const { reasons, of: find } = of(large());
  assert.equal(reasons[0]!.criterion, 'duty-cycle');
  assert.equal(
    reasons[0]!.sentence,
    'It is busy 12 % of the time, and a service would be paid for all of it.',
  );
  assert.deepEqual(
    [find('duty-cycle').favours, find('duty-cycle').decisive, find('cost').favours, find('cost').decisive],
    ['function', true, 'function', true],
  );
  assert.equal(find('cost').difference!.unit, 'USD a month');
});

test('what is at work all the time is a service for that, and waiting makes the function dear', () => {
  const { reasons, of: find } = of(busy());
  assert.equal(reasons[0]!.criterion, 'duty-cycle');
  assert.match(reasons[0]!.sentence, /^It has 4 calls at work at any moment, day and night; from \d/);
  assert.deepEqual([find('resources').favours, find('resources').decisive], ['service', true]);
  assert.equal(find('resources').value, 0.2);
});

test('a state that rules the function out decides where the function would be the cheaper one', () => {
  const findings = { function: [finding('memory-state')], service: [] };
  const cheap = of({ facts: factsOf({ findings }) });
  assert.equal(cheap.reasons[0]!.criterion, 'state');
  assert.deepEqual([cheap.reasons[0]!.favours, cheap.reasons[0]!.decisive], ['service', true]);
  assert.match(cheap.reasons[0]!.sentence, /catalog\.ts:12: carts keeps what later requests read\.$/);
  // A service in any case: the state is told first, and does not decide.
  const dear = of({ ...busy(), facts: factsOf({ findings }) });
  assert.deepEqual([dear.reasons[0]!.criterion, dear.reasons[0]!.decisive], ['state', false]);
});

test('connections and background work are told as such', () => {
  const { of: find } = of({
    facts: factsOf({ sockets: true, findings: { function: [finding('timer')], service: [] } }),
  });
  assert.deepEqual([find('sockets').favours, find('background').favours], ['service', 'service']);
  // Each alone is not enough: the other one still rules the function out.
  assert.deepEqual([find('sockets').decisive, find('background').decisive], [false, false]);
});

test('a latency that one mode misses decides, and says what it makes in ms', () => {
  const { reasons } = of({ facts: factsOf({ objective: { p99Ms: 200 } }) });
  const [first] = reasons;
  assert.equal(first!.criterion, 'latency');
  assert.deepEqual([first!.favours, first!.decisive], ['service', true]);
  assert.deepEqual(first!.difference, { amount: 300, unit: 'ms' });
  assert.equal(
    first!.sentence,
    'As a service 99 % of its calls are done within 100ms, as a function within 400ms; 200ms is asked.',
  );
});

test('where both meet what is asked the latency decides nothing', () => {
  const { of: find } = of({ facts: factsOf({ objective: { p99Ms: 1_000 } }) });
  assert.deepEqual([find('latency').favours, find('latency').decisive], [null, false]);
});

test('calls that take longer than a function may decide for the service', () => {
  const facts = factsOf();
  const { reasons } = of({
    facts: { ...facts, service: { ...facts.service, timeoutMs: DAY_MS } },
    traffic: daily(3, { durationMs: 20 * MINUTE_MS, cpuShare: 0.1 }),
  });
  assert.deepEqual(
    [reasons[0]!.criterion, reasons[0]!.favours, reasons[0]!.decisive],
    ['duration', 'service', true],
  );
});

test('durations have the border at which the answer turns', () => {
  const { of: find } = of(large());
  const found = find('duration');
  assert.deepEqual([found.favours, found.decisive], ['function', true]);
  assert.match(found.sentence, /take 10s on average; at \d.* times that the service would/);
});

test('only schedules: nobody waits, and in between it costs nothing', () => {
  const facts = factsOf({ triggers: { routes: 0, events: [], schedules: ['0 2 * * *'], callers: [] } });
  const { of: find } = of({ facts, traffic: daily(1, { durationMs: 4 * MINUTE_MS }) });
  assert.deepEqual([find('schedule').favours, find('trigger').favours], ['function', 'function']);
  assert.match(
    find('schedule').sentence,
    /by schedule alone \(0 2 \* \* \*\), .* is idle over 99 % of the time/,
  );
  const also = of({ facts: factsOf({ triggers: { ...facts.triggers, routes: 1 } }) });
  assert.equal(also.of('schedule').favours, null);
});

test('a front door that costs more than the rest decides for the mode that needs none', () => {
  const { of: find } = of({ traffic: daily(120_000, { durationMs: 1_000, cpuShare: 0.1 }) });
  const found = find('trigger');
  assert.deepEqual([found.favours, found.difference], ['function', { amount: 16, unit: 'USD a month' }]);
});

test('bursts that a service has to be sized for favour the function', () => {
  const times = Array.from({ length: 600 }, (_, i) => Math.floor(i / 200) * 1_200_000 + (i % 200) * 20);
  const some = { spanMs: 3_600_000, durationMs: 4_000, cpuShare: 1 };
  const { of: find } = of({ traffic: arrivals(times, some) });
  const found = find('burstiness');
  assert.equal(found.favours, 'function');
  assert.ok(found.difference!.amount > 0);
  assert.equal(of({ traffic: daily(1_440) }).of('burstiness').favours, null);
});

test('hours of work count where somebody counts them, and decide where they outweigh the price', () => {
  const { settings } = requestOf();
  const hoursPerMonth = { function: 2, service: 0 };
  const { of: find, reasons } = of({
    settings: { ...settings, operations: { hoursPerMonth, perHour: 50 } },
  });
  assert.deepEqual([find('operations').favours, find('operations').decisive], ['service', true]);
  assert.deepEqual(find('operations').difference, { amount: 100, unit: 'USD a month' });
  assert.ok(reasons.slice(0, 2).some(({ criterion }) => criterion === 'operations'));
  assert.match(of({}).of('operations').sentence, /not counted/);
});

test('a neighbour that is called all the time is told, with what waiting for it makes', () => {
  const call = { p50Ms: 80, joined: 0, mode: 'function' } as const;
  const out = { ...call, with: 'inventory', direction: 'out', perSecond: 1_000 / 86_400 } as const;
  const { of: find } = of({ facts: factsOf({ calls: [out] }) });
  assert.match(
    find('granularity').sentence,
    /^It waits 80 % of its time for inventory, for which a function is paid twice/,
  );
  const far = { ...out, joined: 1 };
  assert.match(of({ facts: factsOf({ calls: [far] }) }).of('granularity').sentence, /little to do/);
  const into = { ...out, direction: 'in' } as const;
  assert.match(
    of({ facts: factsOf({ calls: [into] }) }).of('granularity').sentence,
    /^99 % of its calls come from/,
  );
});

test('a program is legacy: it favours the service by what it takes to start', () => {
  const { of: find } = of({
    facts: factsOf({
      kind: 'command',
      findings: null,
      startsMs: { function: [], service: [2_900, 3_000, 3_100] },
    }),
  });
  assert.deepEqual(
    [find('legacy').favours, find('legacy').difference],
    ['service', { amount: 3_000, unit: 'ms' }],
  );
  assert.equal(find('portability').favours, 'service');
});

test('releases count by the replicas that they double', () => {
  const facts = factsOf({ deploys: { count: 600, days: 30 }, startsMs: { function: [], service: [60_000] } });
  const { of: find } = of({ facts });
  assert.equal(Math.round(find('deploy-rate').value!), 608);
  assert.equal(find('deploy-rate').favours, 'function');
  assert.match(of({}).of('deploy-rate').sentence, /did not change in 30 days/);
});

test('storage on disk is no provider’s function elsewhere', () => {
  assert.match(of({ facts: factsOf({ storage: ['data'] }) }).of('portability').sentence, /it writes to data/);
  assert.match(of({}).of('portability').sentence, /can be taken back/);
});

test('memory that no book sells is told as the resource that it is', () => {
  const facts = factsOf();
  const input = fakeInput(
    requestOf({ facts: { ...facts, function: { ...facts.function, memoryBytes: 20_480 * MB } } }),
  );
  const obstacles = [
    {
      mode: 'function',
      severity: 'impossible',
      criterion: 'resources',
      text: 'None sells it.',
      evidence: [],
    },
  ] as const;
  const reasons = reasonsOf({ ...input, obstacles });
  const found = reasons.find(({ criterion }) => criterion === 'resources')!;
  assert.deepEqual([found.favours, found.sentence], ['service', 'None sells it.']);
});
