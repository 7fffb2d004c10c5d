import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { callEdge, component } from '../control/fixtures/fake-port.ts';
import type { CallEdge } from '../model/calls.ts';
import { graphLines, groupsOf, type GroupOf } from './graph-lines.ts';

const NO_GROUPS: GroupOf = new Map();

function linesOf(edges: readonly CallEdge[], groups = NO_GROUPS, width = 80): string[] {
  return graphLines({ windowMs: 300_000, edges }, groups, width);
}

/** What stands between the first line and the table. */
function drawingOf(edges: readonly CallEdge[], groups = NO_GROUPS): string[] {
  const lines = linesOf(edges, groups);
  return lines.slice(2, lines.findIndex((line) => line.startsWith('FROM')) - 1);
}

const calls = (...pairs: readonly string[]): CallEdge[] =>
  pairs.map((pair, i) => {
    const [from, to] = pair.split(' ') as [string, string];
    return callEdge({ from, to, function: 'f', count: 100 - i });
  });

test('those that nobody calls come first, the busiest callee first, each drawn once', () => {
  const edges = calls('cart pricing', 'web cart', 'web catalogue', 'admin cart', 'pricing catalogue');
  assert.deepEqual(drawingOf(edges), [
    'admin',
    '└─ cart',
    '   └─ pricing',
    '      └─ catalogue',
    'web',
    '├─ cart …',
    '└─ catalogue',
  ]);
  const froms = linesOf(edges).flatMap((line) => /^(\w+) +\w+\.f /.exec(line)?.[1] ?? []);
  assert.deepEqual(froms, ['admin', 'web', 'web', 'cart', 'pricing']);
});

test('members of a group are marked, and what stays in their process is told where anything does', () => {
  const groups = groupsOf([
    { ...component({ name: 'cart' }), group: 'core' },
    { ...component({ name: 'pricing' }), group: 'core' },
    { ...component({ name: 'web' }), group: null },
    component({ name: 'assets' }),
  ]);
  assert.deepEqual(drawingOf(calls('web cart', 'cart pricing'), groups), [
    'web',
    '└─ cart [core]',
    '   └─ pricing [core]',
  ]);
  const shares = [0, 1, 299, 599, 600].map((inProcess, i) => callEdge({ inProcess, to: `c${i}` }));
  const lines = linesOf(shares);
  assert.match(
    lines.find((line) => line.startsWith('FROM'))!,
    /FAILED {2}IN PROCESS$/,
  );
  assert.deepEqual(
    lines.slice(-5).map((line) => line.split(/ +/).at(-1)),
    ['-', '<1%', '50%', '>99%', '100%'],
  );
  assert.doesNotMatch(linesOf([callEdge()]).join('\n'), /PROCESS/);
});

test('cycles are drawn to where they close', () => {
  assert.deepEqual(drawingOf(calls('a b', 'b c', 'c a', 'b b')), [
    'a',
    '└─ b',
    '   ├─ c',
    '   │  └─ a …',
    '   └─ b …',
  ]);
});

test('what is not told apart stands last, under a name that says so', () => {
  const edges = calls('* *', 'web *', 'web cart');
  assert.deepEqual(drawingOf(edges), ['web', '├─ (others)', '└─ cart']);
  assert.deepEqual(drawingOf(calls('* *')), []);
  assert.match(linesOf(edges).at(-1)!, /^\(others\) +\(others\) /);
});

test('rates and latencies are told in few digits, small ones too', () => {
  const cells = (part: Partial<CallEdge>): string[] =>
    linesOf([callEdge(part)])
      .at(-1)!
      .split(/ {2,}/)
      .slice(2, 4);
  assert.deepEqual(cells({ perSecond: 0.0001, p50Ms: 0 }), ['<0.01', '0ms']);
  assert.deepEqual(cells({ perSecond: 0.123, p50Ms: 0.0042 }), ['0.12', '5µs']);
  assert.deepEqual(cells({ perSecond: 1_234.5, p50Ms: 2_512 }), ['1,235', '2.5s']);
});

test('whatever calls whatever, no line is too wide, and what is too long is not drawn', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'd', '*', 'a-component-with-a-very-long-name-indeed');
  const edge = fc
    .tuple(
      names,
      names,
      fc.constantFrom('f', null, 'aFunctionWithAVeryLongNameThatGoesOn\u001B[2J\n'),
      fc.nat(600),
    )
    .map(([from, to, name, inProcess]) => callEdge({ from, to, function: name, inProcess }));
  fc.assert(
    fc.property(
      fc.array(edge, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 80, max: 120 }),
      (edges, width) => {
        for (const line of linesOf(edges, NO_GROUPS, width)) {
          assert.ok(Array.from(line).length <= width, line);
          assert.ok(!/[\u001B\n]/.test(line));
        }
      },
    ),
  );
  const many = calls(...Array.from({ length: 60 }, (_, i) => `web c${i}`));
  assert.deepEqual(drawingOf(many), []);
  assert.equal(linesOf(many).length, 2 + 1 + 60);
});
