import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Advice, AdviceVerdict, ModeOutlook } from '../model/advice.ts';
import type { Mode } from '../model/app.ts';
import { adviseTable } from './advise-table.ts';

const DAY_MS = 86_400_000;

function band(mid: number) {
  return { low: mid - 1, mid, high: mid + 1 };
}

function outlook(mode: Mode, perMonth: number): ModeOutlook {
  return {
    mode,
    perMonth: band(perMonth),
    book: 'a-book',
    lines: [],
    operations: 0,
    p50Ms: null,
    p99Ms: null,
    coldStarts: 0,
    executed: 100,
    refused: 0,
    instances: { mean: 1, peak: 1 },
    meetsObjective: 1,
  };
}

function advice(unit: string, verdict: AdviceVerdict, changes: Partial<Advice> = {}): Advice {
  return {
    unit,
    modeSetting: 'function',
    present: 'function',
    evidence: {
      ...{ source: 'usage', fromMs: 0, toMs: 14 * DAY_MS, arrivals: 1_000, blocks: 14, blockMs: DAY_MS },
      ...{ samples: 200, seed: 1, gapsMs: 0, currency: 'USD', books: ['a-book', 'b-book'] },
    },
    verdict,
    obstacles: [],
    modes: { function: outlook('function', 30), service: outlook('service', 10) },
    breakEven: null,
    reasons: [],
    flips: [],
    curve: null,
    notes: [],
    ...changes,
  };
}

const toService = (mid: number): AdviceVerdict => ({
  ...{ kind: 'switch', mode: 'service', certainty: 0.97, because: 'cheapest' },
  saves: band(mid),
});
const keep: AdviceVerdict = {
  ...{ kind: 'keep', mode: 'function', certainty: 1, because: 'tie' },
  saves: band(0),
};
const lacks = (...missing: string[]): AdviceVerdict => ({ kind: 'not-enough-evidence', missing });

/** First words of the rows. */
const names = (lines: readonly string[]): string[] => {
  const from = lines.findIndex((line) => line.startsWith('COMPONENT')) + 1;
  return lines.slice(from, lines.indexOf('', from)).map((line) => line.split(' ')[0]!);
};

describe('a line of advice for each component', () => {
  it('says first what to switch and what that saves, and has that first', () => {
    const lines = adviseTable(
      [
        advice('idle', lacks('50 more invocations: it had none')),
        advice('cart', keep),
        advice('mail', toService(5)),
        advice('web', toService(20)),
      ],
      ['Something to know.'],
      80,
    );
    assert.equal(lines[0], 'Switch mail and web to a service: that saves $25.00 a month.');
    assert.equal(lines[1], '4,000 invocations in 14d · a-book, b-book · seed 1');
    assert.deepEqual(names(lines), ['web', 'mail', 'cart', 'idle']);
    assert.match(lines.join('\n'), /^web +function +service +\$10\.00 +\$20\.00 +97 % +cheaper$/m);
    assert.match(lines.join('\n'), /^cart +function +keep +\$30\.00 +- +>99 % +both cost about the same$/m);
    assert.match(lines.join('\n'), /^idle +function +\? +- +- +- +needs 50 more invocations$/m);
    assert.match(lines.join('\n'), /^Something to know\.$/m);
    assert.match(lines.join('\n'), /`fulcrum mode web service` switches it\./);
  });

  it('says of what is missing everywhere what that is', () => {
    const lack = 'a longer time: it has 2m of usage, and an hour is the least that tells anything';
    const all = [advice('a', lacks('3 more invocations: it had 47', lack)), advice('b', lacks(lack))];
    assert.equal(adviseTable(all, [], 200)[0], `Not enough evidence yet for any of them: ${lack}.`);
    const differently = [advice('a', lacks('x: y')), advice('b', lacks('z: y'))];
    assert.equal(adviseTable(differently, [], 80)[0], 'Not enough evidence yet for any of them.');
  });

  it('says that all is well, and that there is nothing', () => {
    assert.equal(adviseTable([advice('a', keep)], [], 80)[0], 'Keep all of them as they are.');
    assert.equal(adviseTable([advice('a', keep), advice('b', lacks('x'))], [], 80)[0], 'Nothing to switch.');
    assert.equal(adviseTable([], [], 80)[0], 'There is no component with instances.');
  });

  it('says of a switch for the latency that it costs, and of what cannot be why', () => {
    const slow: AdviceVerdict = {
      ...{ kind: 'switch', mode: 'service', certainty: 0.9, because: 'objective' },
      saves: band(-7),
    };
    const impossible: AdviceVerdict = { kind: 'neither', because: 'impossible' };
    const text = 'It keeps in its memory what later calls need.';
    const lines = adviseTable(
      [
        advice('b', impossible, {
          obstacles: [{ mode: 'service', severity: 'impossible', criterion: 'state', text, evidence: [] }],
        }),
        advice('a', slow),
      ],
      [],
      120,
    );
    assert.equal(lines[0], 'Switch a to a service.');
    assert.match(lines.join('\n'), /^a .* -\$7\.00 +90 % +the other misses the objective$/m);
    assert.match(lines.join('\n'), new RegExp(`^b +function +neither .*${text}$`, 'm'));
  });

  it('speaks of what is not there yet as of what is to be built', () => {
    const lines = adviseTable([advice('a', toService(5), { present: null })], [], 80);
    assert.equal(lines[0], 'Run a as a service: that saves $5.00 a month.');
    assert.doesNotMatch(lines.join('\n'), /fulcrum mode/);
  });

  it('fits into the terminal', () => {
    const many = Array.from({ length: 30 }, (_, i) =>
      advice(`a-component-with-a-long-name-${i}`, toService(i)),
    );
    for (const width of [60, 80, 120])
      for (const line of adviseTable(many, ['A note '.repeat(30)], width))
        assert.ok(Array.from(line).length <= width, line);
  });
});
