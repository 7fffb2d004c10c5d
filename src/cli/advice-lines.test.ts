import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { daily, factsOf, finding, requestOf } from '../advisor/testing/advice-request.ts';
import { fakeInput } from '../advisor/testing/fake-advice.ts';
import { flipsOf } from '../advisor/advice/reasons/flips.ts';
import { reasonsOf } from '../advisor/advice/reasons/reasons.ts';
import type { AdviceRequest } from '../advisor/advice/request.ts';
import type { Advice } from '../model/advice.ts';
import { adviceLines } from './advice-lines.ts';

function adviceOn(some: Partial<AdviceRequest> = {}, changed: Partial<Advice> = {}): Advice {
  const request = requestOf({ traffic: daily(500, { durationMs: 1_000, cpuShare: 0.1 }), ...some });
  const input = fakeInput(request);
  return {
    unit: request.facts.unit,
    modeSetting: 'auto',
    present: request.exists ? request.facts.mode : null,
    evidence: {
      source: request.source,
      fromMs: 0,
      toMs: 14 * 86_400_000,
      arrivals: 7_000,
      blocks: 14,
      blockMs: 86_400_000,
      samples: 200,
      seed: 1,
      gapsMs: 0,
      currency: 'USD',
      books: ['faas', 'caas'],
    },
    verdict: saving(input.verdict),
    obstacles: input.obstacles,
    modes: input.outlooks,
    breakEven: input.breakEven,
    reasons: reasonsOf(input),
    flips: flipsOf(input),
    curve: null,
    notes: ['Free tiers are not taken off.'],
    ...changed,
  };
}

/** As the samples would have it. */
function saving(verdict: Advice['verdict']): Advice['verdict'] {
  return 'mode' in verdict && verdict.because !== 'only-possible'
    ? { ...verdict, certainty: 0.97, saves: { low: 20, mid: 24.5, high: 25 } }
    : verdict;
}

function lines(advice: Advice, width = 80): string[] {
  return adviceLines(advice, width).map(stripVTControlCharacters);
}

test('the answer is in the first line, and the reason in the second', () => {
  const [answer, why, empty, ...rest] = lines(adviceOn());
  assert.equal(answer, 'Keep catalog a function: it saves $24.50 a month (98 %).');
  assert.match(why!, /^It is busy 0\.5\d % of the time/);
  assert.equal(empty, '');
  const text = rest.join('\n');
  assert.match(text, /→ function +\$\d/);
  assert.match(text, /A function is the cheaper one in 97 % of 200 samples/);
  assert.match(text, /A service would be the answer if:\n- /);
  assert.match(text, /7,000 calls in 14d of its own usage · 14 blocks of 24h · 200 samples · seed 1/);
});

test('what it should become, and what it should be built as', () => {
  const as = { modeSetting: 'auto', mode: 'service' } as const;
  assert.match(lines(adviceOn({ facts: factsOf(as) }))[0]!, /^Make catalog a function: it saves/);
  assert.match(lines(adviceOn({ exists: false }))[0]!, /^Build catalog as a function: it saves/);
});

test('a mode that is the only one says so, why, and what would have to be mended', () => {
  const findings = { function: [finding('memory-state')], service: [] };
  const [answer, why, second, ...rest] = lines(adviceOn({ facts: factsOf({ findings }) }));
  assert.equal(answer, 'Make catalog a service: it cannot be a function as it is.');
  assert.match(
    `${why} ${second}`,
    /^It keeps in its memory .* instances come and go\. catalog\.ts:12: carts/,
  );
  assert.match(
    rest.join('\n'),
    /A function would be the answer if:\n- what it keeps between calls goes to a database/,
  );
});

test('a latency that decides says what it costs', () => {
  const advice = adviceOn({ facts: factsOf({ objective: { p99Ms: 1_100 } }) });
  const verdict = { ...advice.verdict, saves: { low: -26, mid: -24.5, high: -20 } } as Advice['verdict'];
  const [answer, second, why] = lines({ ...advice, verdict });
  assert.equal(
    `${answer} ${second}`.slice(0, 90),
    'Make catalog a service for its latency, though that costs $24.50 a month more. As a servic',
  );
  assert.match(`${second} ${why}`, /done within 1s, as a function within 1\.3s; 1\.1s is asked\./);
});

test('too little evidence says what is missing, and to leave it as it is', () => {
  const verdict = { kind: 'not-enough-evidence', missing: ['20 more invocations', 'an hour'] } as const;
  const shown = lines(adviceOn({}, { verdict, reasons: [], flips: [], breakEven: null }));
  assert.deepEqual(shown.slice(0, 2), [
    'Not enough evidence about catalog yet. Leave it a function until then.',
    'What is missing: 20 more invocations; an hour.',
  ]);
});

test('neither mode says what is in the way', () => {
  const findings = { function: [finding('memory-state')], service: [finding('shared-variable')] };
  const [answer, why] = lines(adviceOn({ facts: factsOf({ findings }) }));
  assert.equal(answer, 'Neither mode can have catalog as it is.');
  assert.match(why!, /^It keeps in its memory/);
});

test('a mode that would refuse calls is told as such, and not as slow', () => {
  const advice = adviceOn();
  const modes = { ...advice.modes, service: { ...advice.modes.service, executed: 900, refused: 100 } };
  const verdict: Advice['verdict'] = {
    ...{ kind: 'keep', mode: 'function', because: 'objective', certainty: 1 },
    saves: { low: -5, mid: -4, high: -3 },
  };
  const obstacles: Advice['obstacles'] = [
    {
      ...{ mode: 'service', severity: 'warning', criterion: 'burstiness', evidence: [] },
      text: 'As a service, 100 calls of 1,000 would be refused.',
    },
  ];
  const shown = lines({ ...advice, modes, verdict, obstacles }, 120);
  assert.deepEqual(shown.slice(0, 2), [
    'Keep catalog a function, as a service would refuse calls, though it costs $4.00 a month more.',
    'As a service 10 % of its calls would be refused: its settings do not let it grow with what comes.',
  ]);
  assert.ok(shown.includes('- As a service, 100 calls of 1,000 would be refused.'), shown.join('\n'));
  const [answer, why] = lines({ ...advice, modes, verdict: { kind: 'neither', because: 'objective' } }, 120);
  assert.equal(answer, 'Neither mode serves catalog as it is set.');
  assert.match(why!, /^As a service 10 % of its calls would be refused/);
});

test('gaps in the usage are told, once', () => {
  const advice = adviceOn();
  const gap = 'Usage may be missing in 90s of it.';
  const shown = lines({ ...advice, evidence: { ...advice.evidence, gapsMs: 90_000 }, notes: [gap] });
  assert.deepEqual(
    shown.filter((line) => line === gap),
    [gap],
  );
});

test('no line is wider than the terminal', () => {
  const findings = { function: [finding('memory-state'), finding('timer')], service: [] };
  for (const width of [40, 60, 80, 120]) {
    for (const advice of [adviceOn(), adviceOn({ facts: factsOf({ findings }) })]) {
      for (const line of lines(advice, width))
        assert.ok(Array.from(line).length <= width, `${width}: ${line}`);
    }
  }
});

test('what a component’s name or a finding may hold takes no terminal over', () => {
  const findings = { function: [finding('memory-state', { message: '\u001B[2Jgone' })], service: [] };
  const all = adviceLines(adviceOn({ facts: factsOf({ findings }) }), 80).join('\n');
  assert.ok(!all.includes('\u001B[2J'));
});
