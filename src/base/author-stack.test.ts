import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { authorLine, authorMessage, authorText } from './author-stack.ts';

const ROOT = '/data/apps/shop/releases/7';
const OWN = dirname(import.meta.dirname);

const CASES: readonly (readonly [string, string, string])[] = [
  [
    'text without a stack',
    'listening on /data/apps/shop/releases/7/x at once',
    'listening on /data/apps/shop/releases/7/x at once',
  ],
  [
    'the author’s frames, relative; ours and what Node did below them gone',
    `TypeError: no\n    at fail (${ROOT}/lib/deep.ts:7:9)\n    at Object.fetch (file://${ROOT}/fn.ts:11:10)\n    at file://${OWN}/runtime/child/module-handlers.ts:85:75\n    at AsyncLocalStorage.run (node:internal/async_local_storage/async_context_frame:66:14)\n    at InvocationScope.run (file://${OWN}/runtime/child/invocation.ts:58:19)`,
    'TypeError: no\n    at fail (lib/deep.ts:7:9)\n    at Object.fetch (fn.ts:11:10)',
  ],
  [
    'Node’s frames between the author’s stay',
    `Error: x\n    at a (${ROOT}/a.ts:1:1)\n    at Array.map (<anonymous>)\n    at emit (node:events:524:28)\n    at b (${ROOT}/b.ts:2:2)\n    at process.processTimers (node:internal/timers:618:7)`,
    'Error: x\n    at a (a.ts:1:1)\n    at Array.map (<anonymous>)\n    at emit (node:events:524:28)\n    at b (b.ts:2:2)',
  ],
  [
    'ours between the author’s go, the sdk of the bundle too',
    `Error: x\n    at a (${ROOT}/a.ts:1:1)\n    at call (${OWN}/sdk/use.ts:9:9)\n    at call (${ROOT}/node_modules/fulcrum/sdk/use.ts:9:9)\n    at async b (${ROOT}/b.ts:2:2)`,
    'Error: x\n    at a (a.ts:1:1)\n    at async b (b.ts:2:2)',
  ],
  [
    'a printed error with its cause',
    `wrapped Error: outer\n    at Object.fetch (${ROOT}/fn.ts:7:155)\n    at file://${OWN}/runtime/child/module-handlers.ts:85:75\n    ... 6 lines matching cause stack trace ...\n    at #frame (file://${OWN}/runtime/wire/connection.ts:208:25) {\n  code: 'E',\n  [cause]: TypeError: no 1\n      at fail (${ROOT}/lib/deep.ts:7:9)\n      at file://${OWN}/runtime/child/http-invocation.ts:78:47\n}`,
    `wrapped Error: outer\n    at Object.fetch (fn.ts:7:155) {\n  code: 'E',\n  [cause]: TypeError: no 1\n      at fail (lib/deep.ts:7:9)\n}`,
  ],
  [
    'an error of ours alone keeps its frames, without saying where we lie',
    `Error: ours\n    at open (file://${OWN}/runtime/wire/connection.ts:1:2)\n    at emit (node:events:524:28)`,
    'Error: ours\n    at open (fulcrum:runtime/wire/connection.ts:1:2)\n    at emit (node:events:524:28)',
  ],
  [
    'a workspace’s package beside the app, as it is seen from there',
    `Error: x\n    at euros (/data/apps/shop/packages/money/index.ts:1:1)\n    at a (${ROOT}/a.ts:1:1)`,
    'Error: x\n    at euros (../../packages/money/index.ts:1:1)\n    at a (a.ts:1:1)',
  ],
  [
    'what has nothing to do with the app',
    'Error: x\n    at f (/usr/share/x.js:1:1)',
    'Error: x\n    at f (/usr/share/x.js:1:1)',
  ],
  [
    'paths with spaces and brackets',
    `Error: x\n    at f (${ROOT}/a b (1)/c.ts:1:1)\n    at file://${ROOT}/a%20b/c.ts:2:2`,
    'Error: x\n    at f (a b (1)/c.ts:1:1)\n    at a b/c.ts:2:2',
  ],
  [
    'constructors and methods',
    `E\n    at new Shop (${ROOT}/a.ts:1:1)\n    at Shop.m [as x] (${ROOT}/a.ts:2:2)`,
    'E\n    at new Shop (a.ts:1:1)\n    at Shop.m [as x] (a.ts:2:2)',
  ],
  ['a place that Node shows', `${ROOT}/server.js:3\n  throw 1;\n  ^`, 'server.js:3\n  throw 1;\n  ^'],
];
for (const [name, text, expected] of CASES) {
  test(name, () => {
    assert.equal(authorText(text, ROOT), expected);
    // Nothing more happens to it further on.
    assert.equal(authorText(expected, ROOT), expected);
  });
}

test('a program’s output is rewritten line by line, and no line is lost', () => {
  assert.equal(
    authorLine(`    at Server.<anonymous> (${ROOT}/account/server.js:1:77)`, `${ROOT}/account`),
    '    at Server.<anonymous> (server.js:1:77)',
  );
  assert.equal(
    authorLine('    at Server.emit (node:events:524:28)', ROOT),
    '    at Server.emit (node:events:524:28)',
  );
  assert.equal(authorLine(`${ROOT}/account/server.js:1`, ROOT), 'account/server.js:1');
  assert.equal(authorLine(`GET ${ROOT}/x:1`, ROOT), `GET ${ROOT}/x:1`);
});

test('messages name the app’s files as the author does', () => {
  assert.equal(
    authorMessage(`Cannot find module '${ROOT}/x.js' imported from file://${ROOT}/a.ts`, ROOT),
    "Cannot find module 'x.js' imported from a.ts",
  );
  assert.equal(authorMessage(`${ROOT}7/x`, ROOT), `${ROOT}7/x`);
});

test('a line of any length and shape comes out, and one that is longer than any frame as it was', () => {
  for (const piece of [
    'at ',
    '    at x (',
    ':1:1',
    '    at async /',
    ' ... 1 line matching ',
    ` (${ROOT}/`,
    ' (/',
    '\n',
  ]) {
    const text = `    at ${piece.repeat(20_000)}`;
    assert.equal(typeof authorText(text, ROOT), 'string');
    if (piece !== '\n') assert.equal(authorLine(text, ROOT), text);
  }
});
