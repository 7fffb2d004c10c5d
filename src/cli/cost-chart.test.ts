import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CostCurve } from '../model/advice.ts';
import { costChart } from './cost-chart.ts';
import { costSvg } from './cost-svg.ts';

/** A function costs a dollar for each invocation a second, a service always 10. */
function curve(changes: Partial<CostCurve> = {}): CostCurve {
  const points = [0.1, 1, 10, 100].map((perSecond) => ({
    perSecond,
    perMonth: { function: perSecond, service: 10 },
  }));
  return { currency: 'USD', points, here: 1, breakEven: 10, ...changes };
}

const onlyFunction = curve().points.map(({ perSecond }) => ({
  perSecond,
  perMonth: { function: perSecond, service: null },
}));

describe('the chart in a terminal', () => {
  it('is what it was when it was last looked at', () => {
    assert.deepEqual(costChart(curve(), 60), [
      'Cost a month over the rate of invocations, both axes logarithmic',
      '$100 ┤                  ┊                                fff',
      '     ┤                  ┊                            ffff',
      '     ┤                  ┊                       fffff',
      '     ┤                  ┊                   ffff',
      ' $10 ┤ssssssssssssssssssssssssssssssssssxxxxssssssssssssssss',
      '     ┤                  ┊          fffff',
      '     ┤                  ┊      ffff',
      '     ┤                  ┊ fffff',
      '  $1 ┤                ffff',
      '     ┤            ffff  ┊',
      '     ┤       fffff      ┊',
      '     ┤   ffff           ┊',
      '$0.1 ┤fff               ┊',
      '     └──────────────────▲────────────────◆──────────────────',
      '      6/min                    3.2/s                   100/s',
      'f function   s service   x both',
      '▲ now 1/s   ◆ the same at 10/s',
    ]);
  });

  it('fits into the terminal, whatever its width, and is left out where that is too narrow', () => {
    for (const width of [40, 60, 80, 200]) {
      const lines = costChart(curve(), width).filter((line) => !line.startsWith('Cost a month'));
      assert.ok(lines.length > 12, String(width));
      for (const line of lines) assert.ok(Array.from(line).length <= Math.min(width, 100), line);
    }
    assert.deepEqual(costChart(curve(), 20), []);
  });

  it('has one line where the other mode is not sold, and no mark that lies beyond', () => {
    const text = costChart(curve({ points: onlyFunction, here: 0.001, breakEven: null }), 80).join('\n');
    assert.match(text, /f function$/m);
    assert.doesNotMatch(text, /s service|x both|▲|◆|┊/);
  });

  it('is empty where there is nothing to draw', () => {
    assert.deepEqual(costChart(curve({ points: [] }), 80), []);
    assert.deepEqual(costChart(curve({ points: curve().points.slice(0, 1) }), 80), []);
    const free = curve().points.map((point) => ({ ...point, perMonth: { function: 0, service: null } }));
    assert.deepEqual(costChart(curve({ points: free }), 80), []);
  });
});

describe('the picture', () => {
  const books = { function: 'aws-lambda-x86', service: 'aws-fargate-x86' };
  const svg = (changes: Partial<CostCurve> = {}, unit = 'catalog', answer = 'Keep it a function.'): string =>
    costSvg({ unit, answer, curve: curve(changes), books })!;

  it('tells what it shows to who does not see it', () => {
    const text = svg();
    assert.match(text, /role="img" aria-labelledby="title desc"/);
    assert.match(text, /<title id="title">catalog: cost a month as a function and as a service<\/title>/);
    assert.match(
      text,
      /<desc id="desc">Keep it a function\. As a function \(aws-lambda-x86\): \$0\.10 a month at 6\/min, \$100\.00 at 100\/s\. As a service .* Both cost the same at 10\/s\.<\/desc>/,
    );
  });

  it('tells the lines apart by more than their colours, and follows light and dark', () => {
    const text = svg();
    assert.match(text, /\.service \{[^}]*stroke-dasharray/);
    assert.match(text, />Function<\/text>/);
    assert.match(text, />Service<\/text>/);
    assert.match(text, /prefers-color-scheme: dark/);
    assert.match(text, /class="here"/);
    assert.match(text, /class="even"/);
  });

  it('needs nothing else, and takes no name for markup', () => {
    const text = svg({}, `a<script>&"'\u0007`, '<b>');
    assert.doesNotMatch(text, /<script|<b>|href|url\(|\u0007/);
    assert.match(text, /a&lt;script&gt;&amp;&quot;/);
  });

  it('leaves out the line of a mode that is not sold, and is none where there are no points', () => {
    const text = svg({ points: onlyFunction, breakEven: null });
    assert.doesNotMatch(text, /<path class="line service"/);
    assert.match(text, /As a service \(aws-fargate-x86\): not sold a month/);
    assert.equal(costSvg({ unit: 'a', answer: '', curve: curve({ points: [] }), books }), null);
  });

  it('keeps all within its frame', () => {
    for (const [here, breakEven] of [
      [0.1, 100],
      [100, 0.1],
      [50, 55],
    ] as const) {
      const text = svg({ here, breakEven });
      for (const [, x, y] of text.matchAll(/ c?x="(-?[\d.]+)" c?y="(-?[\d.]+)"/g)) {
        assert.ok(Number(x) >= 0 && Number(x) <= 760, `x ${x}`);
        assert.ok(Number(y) >= 0 && Number(y) <= 440, `y ${y}`);
      }
    }
  });
});
