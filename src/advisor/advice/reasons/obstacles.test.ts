import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { UnitFacts } from '../../../model/advice-facts.ts';
import type { Obstacle } from '../../../model/advice.ts';
import { usedOf } from '../../../meter/testing/used.ts';
import type { Used } from '../../../model/used.ts';
import {
  arrivals,
  daily,
  factsOf,
  finding,
  MB,
  outlooksOf,
  requestOf,
} from '../../testing/advice-request.ts';
import type { AdviceRequest } from '../request.ts';
import { obstaclesOf } from './obstacles.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

function of(some: Partial<AdviceRequest>, outlooks = outlooksOf()): Obstacle[] {
  return obstaclesOf(requestOf(some), outlooks);
}

function brief(obstacles: readonly Obstacle[]): string[] {
  return obstacles.map(({ mode, severity, criterion }) => `${mode} ${severity} ${criterion}`);
}

function withFindings(
  findings: Partial<NonNullable<UnitFacts['findings']>>,
  some: Partial<UnitFacts> = {},
): Partial<AdviceRequest> {
  return { facts: factsOf({ findings: { function: [], service: [], ...findings }, ...some }) };
}

test('nothing stands against a component of which nothing is found', () => {
  assert.deepEqual(of({}), []);
});

test('state between calls rules the function out, and says where', () => {
  const [obstacle] = of(withFindings({ function: [finding('memory-state')] }));
  assert.deepEqual(brief([obstacle!]), ['function impossible state']);
  assert.deepEqual(obstacle!.evidence, ['catalog.ts:12: carts keeps what later requests read.']);
});

test('a note is a warning, a counter nothing', () => {
  const note = finding('shared-entry', { severity: 'note' });
  assert.deepEqual(brief(of(withFindings({ service: [note] }))), ['service warning state']);
  assert.deepEqual(of(withFindings({ function: [finding('lost-counter', { severity: 'note' })] })), []);
});

test('shared state is no matter to a service that takes one call at a time', () => {
  const facts = factsOf();
  const one = { service: { ...facts.service, concurrency: 1 } };
  const findings = { service: [finding('shared-variable')] };
  assert.deepEqual(brief(of(withFindings(findings))), ['service impossible state']);
  assert.deepEqual(brief(of(withFindings(findings, one))), ['service warning state']);
});

test('what its author chose and it runs as is not called impossible; what it fell into is', () => {
  const findings = { function: [finding('memory-state')] };
  const chosen = { modeSetting: 'function', mode: 'function' } as const;
  assert.deepEqual(brief(of(withFindings(findings, chosen))), ['function warning state']);
  assert.deepEqual(brief(of(withFindings(findings, { ...chosen, modeSetting: 'auto' }))), [
    'function impossible state',
  ]);
  assert.deepEqual(brief(of({ ...withFindings(findings, chosen), exists: false })), [
    'function impossible state',
  ]);
});

test('WebSockets rule the function out, told by the module alone or by its code', () => {
  const told = of({ facts: factsOf({ sockets: true }) });
  assert.deepEqual(brief(told), ['function impossible sockets']);
  assert.deepEqual(told[0]!.evidence, ['Its module takes WebSockets.']);
  assert.deepEqual(brief(of({ facts: factsOf({ sockets: null }) })), []);
});

test('background work, servers and blocking are each told of their own criterion', () => {
  const obstacles = of(
    withFindings({
      function: [finding('timer'), finding('server')],
      service: [finding('blocks-others')],
    }),
  );
  assert.deepEqual(brief(obstacles), [
    'function impossible sockets',
    'function impossible background',
    'service impossible resources',
  ]);
});

test('of many places five are shown', () => {
  const [obstacle] = of(
    withFindings({ function: Array.from({ length: 8 }, (_, i) => finding('memory-state', { line: i + 1 })) }),
  );
  assert.equal(obstacle!.evidence.length, 6);
  assert.equal(obstacle!.evidence.at(-1), '… and 3 more of the like');
});

test('the code of a command was not read, and that is a warning against the function', () => {
  const notRead = { function: [finding('not-checked', { severity: 'note' })], service: [] };
  for (const findings of [null, notRead]) {
    assert.deepEqual(brief(of({ facts: factsOf({ kind: 'command', findings }) })), [
      'function warning legacy',
    ]);
  }
  assert.deepEqual(brief(of({ facts: factsOf({ findings: null }) })), []);
});

test('calls that take longer than any function may rule it out; one in many does not', () => {
  const long = factsOf();
  const facts = { ...long, service: { ...long.service, timeoutMs: HOUR_MS } };
  const some = of({ facts, traffic: arrivals([0, 1], { spanMs: DAY_MS, durationMs: 16 * MINUTE_MS }) });
  assert.deepEqual(brief(some), ['function impossible duration']);
  assert.match(some[0]!.text, /^2 calls of 2 took longer than the 15m/);
  const durationsMs = Array.from({ length: 20_000 }, (_, i) => (i === 7 ? 16 * MINUTE_MS : 100));
  const many = arrivals(
    durationsMs.map((_, i) => i),
    { spanMs: DAY_MS, durationsMs },
  );
  assert.deepEqual(brief(of({ facts, traffic: many })), ['function warning duration']);
});

test('calls near the limit, and longer than the timeout, are warned of', () => {
  const facts = factsOf();
  const traffic = daily(10, { durationMs: 11 * MINUTE_MS });
  assert.deepEqual(brief(of({ facts, traffic })), [
    'function warning duration',
    'function warning duration',
    'service warning duration',
  ]);
  const timeoutMs = 15 * MINUTE_MS;
  const longer = {
    ...facts,
    function: { ...facts.function, timeoutMs },
    service: { ...facts.service, timeoutMs },
  };
  assert.deepEqual(brief(of({ facts: longer, traffic })), ['function warning duration']);
});

function service(some: Parameters<typeof usedOf>[0]): Used {
  return usedOf({ mode: 'service', ...some });
}

test('CPU time that is no call’s is work between calls', () => {
  const instances = { livedMs: 10 * HOUR_MS, cpuMs: HOUR_MS };
  assert.deepEqual(brief(of({ measured: [service({ cpuMs: 0.1 * HOUR_MS, instances })] })), [
    'function warning background',
  ]);
  // Half of a percent of a core is what health checks and the garbage collector take.
  const quiet = { livedMs: 10 * HOUR_MS, cpuMs: 0.05 * HOUR_MS };
  assert.deepEqual(of({ measured: [service({ cpuMs: 0, instances: quiet })] }), []);
  assert.deepEqual(of({ measured: [service({ cpuMs: 0.9 * HOUR_MS, instances })] }), []);
  assert.deepEqual(of({ measured: [usedOf({ cpuMs: 0, instances })] }), []);
});

function days(megabytes: readonly number[]): Used[] {
  return megabytes.map((mb, i) =>
    service({
      fromMs: i * DAY_MS,
      toMs: (i + 1) * DAY_MS,
      instances: { livedMs: DAY_MS, usedByteMs: mb * MB * DAY_MS },
    }),
  );
}

test('memory that grows from day to day is a leak, and one that goes up and down is none', () => {
  assert.deepEqual(brief(of({ measured: days([80, 100, 130, 160, 190]) })), ['service warning resources']);
  assert.deepEqual(of({ measured: days([80, 190, 90, 180, 85]) }), []);
  assert.deepEqual(of({ measured: days([80, 160, 190]) }), []);
  assert.deepEqual(of({ measured: days([80, 82, 84, 86, 88]) }), []);
});

test('a mode that would refuse calls is warned of', () => {
  const outlooks = outlooksOf({ service: { executed: 990, refused: 10 } });
  const [obstacle] = of({}, outlooks);
  assert.deepEqual(brief([obstacle!]), ['service warning burstiness']);
  assert.match(obstacle!.text, /10 calls of 1,000 would be refused/);
});

test('a mode that no book sells cannot be had, and it is said whether at all or at its size', () => {
  const outlooks = outlooksOf({ function: { perMonth: null, book: null } });
  assert.match(of({}, outlooks)[0]!.text, /None .* sells a function as it is set: 128 MB/);
  const { books } = requestOf();
  const [obstacle] = of({ books: books.slice(1) }, outlooks);
  assert.deepEqual(brief([obstacle!]), ['function impossible cost']);
  assert.equal(obstacle!.text, 'None of the chosen price books sells functions.');
});
