import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { LogEntry } from '../model/log.ts';
import { call, line, request } from './fixtures/request-entries.ts';
import { requestTree, type TreeNode } from './request-tree.ts';
import { treeLines } from './tree-lines.ts';

/** `request web > (call cart.f > (line cart "text"), …)`, by what matters of each. */
function shape(nodes: readonly TreeNode[]): string {
  return nodes
    .map((node) => {
      const name = node.kind === 'line' ? `"${node.entry.text}"` : `${node.component}${nameOf(node)}`;
      return node.children.length === 0 ? name : `${name} > (${shape(node.children)})`;
    })
    .join(', ');
}

function nameOf(node: TreeNode): string {
  if (node.kind === 'unseen') return '?';
  return node.kind === 'call' ? `.${String((node as { entry: LogEntry }).entry.fields!['function'])}` : '';
}

const treeOf = (...entries: LogEntry[]): string => shape(requestTree(entries));

test('calls are below whoever made them, in order of their start', () => {
  const tree = treeOf(
    call('c', 'b', 'pricing.priceOf', { atMs: 4, durationMs: 1 }),
    call('e', 'a', 'payment.charge', { atMs: 20, durationMs: 5 }),
    call('d', 'b', 'catalogue.product', { atMs: 3, durationMs: 4 }),
    call('b', 'a', 'cart.contents', { atMs: 2, durationMs: 10 }),
    request('a', 'web', { atMs: 0, durationMs: 30 }),
  );
  assert.equal(tree, 'web > (cart.contents > (catalogue.product, pricing.priceOf), payment.charge)');
});

test('a request that fans out over ten components shows all ten, each with what it called', () => {
  const ten = Array.from({ length: 10 }, (_, i) => i);
  const entries = ten.flatMap((i) => [
    call(`b${i}`, `a${i}`, `deep${i}.g`, { atMs: 2, durationMs: 1 }),
    call(`a${i}`, 'root', `c${i}.f`, { atMs: 1, durationMs: 5 }),
  ]);
  const [root, ...others] = requestTree([...entries, request('root', 'web', { atMs: 0, durationMs: 9 })]);
  assert.deepEqual(others, []);
  assert.equal(shape(root!.children), ten.map((i) => `c${i}.f > (deep${i}.g)`).join(', '));
});

test('what made calls and is not in the log is there by the name of its component, once', () => {
  const tree = treeOf(
    call('b', 'gone', 'cart.f', { from: 'report', atMs: 5 }),
    call('c', 'gone', 'cart.g', { from: 'report', atMs: 6 }),
    call('d', 'other', 'cart.h', { from: 'report', atMs: 1 }),
    call('e', 'b', 'pricing.f', { from: 'cart', atMs: 5 }),
  );
  assert.equal(tree, 'report? > (cart.h), report? > (cart.f > (pricing.f), cart.g)');
  const none = '0'.repeat(16);
  assert.equal(treeOf(call('b', none, 'cart.f'), call(none, 'b', 'cart.g')), 'cart.f > (cart.g)', 'no span');
});

test('two requests with the span of one client: each call is of the one that was under way', () => {
  const tree = treeOf(
    call('b', 'same', 'cart.first', { atMs: 2, durationMs: 1 }),
    request('same', 'web', { atMs: 0, durationMs: 5 }),
    call('c', 'same', 'cart.second', { atMs: 102, durationMs: 1 }),
    request('same', 'web', { atMs: 100, durationMs: 5 }),
  );
  assert.equal(tree, 'web > (cart.first), web > (cart.second)');
});

test('who are each other’s parents are shown once', () => {
  assert.equal(treeOf(call('a', 'a', 'cart.f')), 'cart.f');
  const three = [call('a', 'c', 'x.f', { atMs: 1 }), call('b', 'a', 'y.f'), call('c', 'b', 'z.f')];
  assert.equal(treeOf(...three), 'x.f > (y.f > (z.f))');
  assert.equal(treeOf(...three, call('d', 'c', 'w.f')), 'x.f > (y.f > (z.f > (w.f)))');
});

test('a line stands below the one invocation of its component that was running', () => {
  const calls = [
    line('cart', 'in the cart', 3),
    call('c', 'b', 'pricing.f', { atMs: 4, durationMs: 2 }),
    call('b', 'a', 'cart.f', { atMs: 2, durationMs: 10 }),
    line('web', 'by the root', 25),
    line('cart', 'nobody ran then', 26),
    request('a', 'web', { atMs: 0, durationMs: 30 }),
  ];
  assert.equal(
    treeOf(...calls),
    'web > (cart.f > ("in the cart", pricing.f), "by the root", "nobody ran then")',
  );
});

test('where several were running, a line stands below what they have in common', () => {
  const root = request('a', 'web', { atMs: 0, durationMs: 30 });
  const cart = call('b', 'a', 'cart.f', { atMs: 1, durationMs: 20 });
  const both = [
    line('pricing', 'of either', 5),
    call('c', 'b', 'pricing.f', { atMs: 4, durationMs: 6 }),
    call('d', 'b', 'pricing.g', { atMs: 4, durationMs: 7 }),
    cart,
    root,
  ];
  assert.equal(treeOf(...both), 'web > (cart.f > (pricing.f, pricing.g, "of either"))');
  const within = [
    line('pricing', 'of either', 5),
    call('d', 'c', 'pricing.g', { atMs: 4, durationMs: 2 }),
    call('c', 'b', 'pricing.f', { atMs: 4, durationMs: 6 }),
    cart,
    root,
  ];
  assert.equal(treeOf(...within), 'web > (cart.f > (pricing.f > (pricing.g, "of either")))');
});

test('of two that ran one after the other, a line is of the one that ended after it', () => {
  const tree = treeOf(
    line('pricing', 'first', 6),
    call('c', 'a', 'pricing.f', { atMs: 3, durationMs: 2 }),
    line('pricing', 'second', 6),
    call('d', 'a', 'pricing.g', { atMs: 6, durationMs: 3 }),
    request('a', 'web', { atMs: 0, durationMs: 30 }),
  );
  assert.equal(tree, 'web > (pricing.f > ("first"), pricing.g > ("second"))');
});

test('a line that came late is of what ended after it in the log; in a process several ends are told at once', () => {
  const root = request('a', 'web', { atMs: 0, durationMs: 30 });
  const late = treeOf(
    line('pricing', 'late', 9),
    call('c', 'a', 'pricing.f', { atMs: 3, durationMs: 2 }),
    root,
  );
  assert.equal(late, 'web > (pricing.f > ("late"))');
  const way = 'in-process';
  const together = treeOf(
    line('pricing', 'of either', 9),
    call('c', 'b', 'pricing.f', { atMs: 3, durationMs: 2, way }),
    call('d', 'b', 'pricing.g', { atMs: 8, durationMs: 2, way }),
    call('b', 'a', 'cart.f', { atMs: 1, durationMs: 20 }),
    root,
  );
  assert.equal(together, 'web > (cart.f > (pricing.f, pricing.g, "of either"))');
  const givenUp = treeOf(
    call('c', 'a', 'pricing.f', { atMs: 3, durationMs: 9 }),
    line('pricing', 'on', 5),
    root,
  );
  assert.equal(givenUp, 'web > (pricing.f > ("on"))');
});

test('a line without a place is by itself where there are several roots, and of the only one of its component', () => {
  const roots = [call('b', 'x', 'cart.f', { from: 'report' }), call('c', 'y', 'cart.f', { from: 'mail' })];
  assert.equal(
    treeOf(...roots, line('web', 'whose?', 1), line('report', 'its own', 900)),
    'report? > (cart.f, "its own"), mail? > (cart.f), "whose?"',
  );
});

test('however the log lies, each entry is in the tree once, and the tree can be drawn', () => {
  const names = fc.constantFrom('a', 'b', 'c');
  const spans = fc.constantFrom('s1', 's2', 's3', 's4', 's5');
  const times = { atMs: fc.nat(20), durationMs: fc.constantFrom(0, 1, 5, Number.MAX_VALUE, -3) };
  const entry = fc.oneof(
    fc
      .tuple(spans, spans, names, names, fc.record(times))
      .map(([span, parent, to, from, when]) => call(span, parent, `${to}.f`, { from, ...when })),
    fc.tuple(spans, names, fc.record(times)).map(([span, to, when]) => request(span, to, when)),
    fc.tuple(names, fc.nat(20)).map(([name, atMs]) => line(name, 'text', atMs)),
  );
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 40 }), fc.integer({ min: 60, max: 120 }), (entries, width) => {
      const roots = requestTree(entries);
      const seen: LogEntry[] = [];
      const visit = (nodes: readonly TreeNode[]): void => {
        for (const node of nodes) {
          if (node.kind !== 'unseen') seen.push(node.entry);
          visit(node.children);
        }
      };
      visit(roots);
      assert.equal(seen.length, entries.length);
      assert.equal(new Set(seen).size, entries.length);
      for (const drawn of treeLines(roots, width)) assert.ok(Array.from(drawn).length <= width, drawn);
    }),
    { numRuns: 300 },
  );
});

test('a chain of ten thousand, or as many lines and invocations at one time, take no time to speak of', () => {
  const chain = Array.from({ length: 5_000 }, (_, i) =>
    call(`s${i + 1}`, `s${i}`, 'cart.f', { atMs: i, durationMs: 10_000 - i }),
  );
  const lines = Array.from({ length: 5_000 }, (_, i) => line('cart', `line ${i}`, i));
  const roots = requestTree([...lines, ...chain]);
  assert.equal(treeLines(roots, 80).length, 10_002);
});
