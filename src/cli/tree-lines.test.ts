import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call, line, request } from './fixtures/request-entries.ts';
import { requestTree } from './request-tree.ts';
import { treeLines, treeTitle } from './tree-lines.ts';

const ESCAPE = '\u001B';

const CHECKOUT = [
  call('c', 'b', 'catalogue.product', { atMs: 3, durationMs: 1.2 }),
  line('pricing', 'price of A-1 is 12.50', 5),
  call('e', 'd', 'inventory.stockOf', { atMs: 5, durationMs: 0.0123, way: 'in-process' }),
  call('d', 'b', 'pricing.priceOf', { atMs: 4, durationMs: 3.2, way: 'in-process' }),
  call('b', 'a', 'cart.contents', { atMs: 2, durationMs: 9 }),
  line(
    'payment',
    'TypeError: cannot read properties of undefined (reading "amount") and so on and on\n    at charge (payment.ts:3:5)',
    14,
  ),
  call('f', 'a', 'payment.charge', {
    atMs: 13,
    durationMs: 31,
    code: 'instance-crashed',
    outcome: 'crashed',
    attempts: 3,
  }),
  call('g', 'a', 'recommendations-of-others', { atMs: 13, durationMs: 2_500 }),
  request('a', 'checkout', {
    durationMs: 48.2,
    method: 'POST',
    path: '/api/checkout',
    waitedMs: 31,
    cold: true,
  }),
];

test('a tree fits 80 columns, its numbers in columns, what was printed whole', () => {
  const tree = requestTree(CHECKOUT);
  assert.match(treeTitle(tree), /^\d\d:30:00\.000 · 6 calls of 6 components$/);
  assert.deepEqual(treeLines(tree, 80), [
    'CALL                                 AT   TOOK  HOW',
    'checkout POST /api/checkout         0ms   48ms  200 cold +31ms',
    '├─ cart.contents                    2ms    9ms  wire',
    '│  ├─ catalogue.product             3ms  1.2ms  wire',
    '│  └─ pricing.priceOf               4ms  3.2ms  in-process',
    '│     ├─ pricing │ price of A-1 is 12.50',
    '│     └─ inventory.stockOf          5ms   13µs  in-process',
    '├─ payment.charge                  13ms   31ms  wire instance-crashed 3 attempts',
    '│  └─ payment │ TypeError: cannot read properties of undefined (reading',
    '│               "amount") and so on and on',
    '│                   at charge (payment.ts:3:5)',
    '└─ recommendations-of-others (re…  13ms   2.5s  wire',
  ]);
});

test('what is too deep to be drawn has the number of its level', () => {
  const chain = Array.from({ length: 12 }, (_, i) => call(`s${i + 1}`, `s${i}`, `c${i}.f`, { atMs: i }));
  const lines = treeLines(requestTree(chain), 80);
  assert.equal(lines[1], 'web                             0ms        not in the log itself');
  assert.match(lines[9]!, /^ {21}└─ c7\.f +7ms +1ms {2}wire$/);
  assert.match(lines[10]!, /^9… {19}└─ c8\.f +8ms/);
  assert.match(lines[13]!, /^12… {18}└─ c11\.f +11ms/);
});

test('a refused request, one without calls, and a request through a service binding', () => {
  const refused = request('a', 'web', { status: 503, error: 'overloaded', waitedMs: 12 });
  const binding = call('b', 'a', 'assets', { code: 'timeout', outcome: 'timeout' });
  assert.deepEqual(treeLines(requestTree([binding, refused]), 80).slice(1), [
    'web GET /            0ms   1ms  503 overloaded waited +12ms',
    '└─ assets (request)  0ms   1ms  wire timeout',
  ]);
  assert.match(treeTitle(requestTree([refused])), / · no calls$/);
  assert.match(treeTitle(requestTree([binding])), / · 1 call of 1 component$/);
});

test('nothing that a component prints or is called takes over the terminal, or breaks a line', () => {
  const hostile = [
    call('b', 'a', `c.f${ESCAPE}[2J\nx`, { way: `w${ESCAPE}[1A` }),
    line('c', `${ESCAPE}]52;c;eA==\u0007 ${ESCAPE}[31mred\u0008\r\n${'x'.repeat(200)}`, 0),
    request('a', 'c', { path: `/${ESCAPE}[2J` }),
  ];
  const lines = treeLines(requestTree(hostile), 60);
  assert.ok(!lines.join('\n').includes(ESCAPE));
  for (const drawn of lines) assert.ok(!drawn.includes('\n') && Array.from(drawn).length <= 60, drawn);
  assert.equal(lines.join('').split('x').length - 1, 201, 'what was printed is whole');
});
