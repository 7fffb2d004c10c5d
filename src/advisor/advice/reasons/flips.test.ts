import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Flip } from '../../../model/advice.ts';
import { arrivals, daily, factsOf, finding, requestOf } from '../../testing/advice-request.ts';
import { fakeInput } from '../../testing/fake-advice.ts';
import type { AdviceRequest } from '../request.ts';
import { flipsOf } from './flips.ts';

const MINUTE_MS = 60_000;

function of(some: Partial<AdviceRequest>): Flip[] {
  return flipsOf(fakeInput(requestOf(some)));
}

function said(flips: readonly Flip[]): string[] {
  return flips.map(({ criterion, sentence }) => `${criterion}: ${sentence}`);
}

test('a function turns where traffic or durations grow, or running it is more work', () => {
  const flips = of({ traffic: daily(4_000, { durationMs: 2_000, cpuShare: 0.1 }) });
  assert.ok(flips.every(({ to }) => to === 'service'));
  const [traffic, durations, ...more] = said(flips);
  assert.match(traffic!, /^duty-cycle: traffic grows \d[\d.]* times: a service costs \d[\d.]* % less then$/);
  assert.match(durations!, /^duration: a call takes .* on average instead of 2s$/);
  assert.ok(more.some((each) => /^operations: running it as a function makes \$\d/.test(each)));
});

test('a service that nothing rules out turns where traffic falls', () => {
  const spanMs = 10 * MINUTE_MS;
  const flips = of({
    traffic: arrivals(
      Array.from({ length: 12_000 }, (_, i) => i * 50),
      { spanMs, durationMs: 200, cpuShare: 0.2 },
    ),
  });
  assert.ok(
    said(flips).some((each) =>
      /^duty-cycle: traffic falls to \d+ % of what it is: a function costs \d[\d.]* % less then$/.test(each),
    ),
  );
});

test('what rules the function out turns it when it is mended, alone or together', () => {
  const state = { function: [finding('memory-state')], service: [] };
  assert.deepEqual(
    said(of({ facts: factsOf({ findings: state }) }))[0],
    ['state: what it keeps between calls goes to a database or a store'][0],
  );
  const both = { function: [finding('memory-state'), finding('timer')], service: [] };
  assert.match(
    said(of({ facts: factsOf({ findings: both }) }))[0]!,
    /^state: .*database.*, and .*schedule or an event$/,
  );
});

test('what is mended in vain is not told: it would be a service all the same', () => {
  const spanMs = 10 * MINUTE_MS;
  const flips = of({
    facts: factsOf({ findings: { function: [finding('memory-state')], service: [] } }),
    traffic: arrivals(
      Array.from({ length: 12_000 }, (_, i) => i * 50),
      { spanMs, durationMs: 200, cpuShare: 0.2 },
    ),
  });
  assert.ok(!flips.some(({ criterion }) => criterion === 'state'));
});

test('a latency that is asked turns it when nothing is asked, and the other way round', () => {
  const asked = of({ facts: factsOf({ objective: { p99Ms: 200 } }) });
  assert.ok(said(asked).includes('latency: no latency is asked'));
  assert.ok(said(of({})).includes('latency: a p99 of 200ms is asked'));
});

test('calls that are too long for a function turn it when they are not', () => {
  const facts = factsOf();
  const flips = of({
    facts: { ...facts, service: { ...facts.service, timeoutMs: 86_400_000 } },
    traffic: daily(3, { durationMs: 20 * MINUTE_MS, cpuShare: 0.1 }),
  });
  assert.equal(flips[0]!.criterion, 'duration');
});

test('neither mode: there is nothing to turn', () => {
  const findings = { function: [finding('memory-state')], service: [finding('shared-variable')] };
  assert.deepEqual(of({ facts: factsOf({ findings }) }), []);
});

test('whatever is told was asked of the verdict and turned it, in at most 40 questions', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20_000 }),
      fc.integer({ min: 1, max: 60_000 }),
      fc.double({ min: 0.05, max: 1, noNaN: true }),
      fc.option(fc.integer({ min: 50, max: 100_000 }), { nil: null }),
      (count, durationMs, cpuShare, p99Ms) => {
        const request = requestOf({
          facts: factsOf({ objective: { p99Ms } }),
          traffic: daily(count, { durationMs, cpuShare }),
        });
        const input = fakeInput(request);
        const turned = new Set<string | null>();
        let asked = 0;
        const again: typeof input.again = (change) => {
          asked++;
          const answer = input.again(change);
          turned.add(answer.mode);
          return answer;
        };
        const flips = flipsOf({ ...input, again });
        for (const { to } of flips) {
          assert.ok('mode' in input.verdict && input.verdict.mode !== to);
          assert.ok(turned.has(to));
        }
        assert.ok(asked <= 40, `${asked} questions`);
      },
    ),
    { seed: 11, numRuns: 60 },
  );
});
