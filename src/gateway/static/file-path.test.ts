import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFilePath } from './file-path.ts';

const good: [string, string[], boolean][] = [
  ['/app.css', ['app.css'], false],
  ['', [], false],
  ['/', [], true],
  ['/a/b/', ['a', 'b'], true],
  ['/caf%C3%A9%20x', ['café x'], false],
  ['/a..b', ['a..b'], false],
  ['/%252e%252e', ['%2e%2e'], false],
];
for (const [path, segments, folder] of good) {
  test(`path '${path}'`, () => assert.deepEqual(readFilePath(path), { segments, folder }));
}

const bad = [
  ...[
    '/..',
    '/../x',
    '/a/../b',
    '/%2e%2e/x',
    '/%2E%2e%2fx',
    '/..%2fx',
    '/a%2fb',
    '/a%5cb',
    '/..\\x',
    '/a\\b',
  ],
  ...[
    '/.',
    '/./x',
    '/.env',
    '/.git/config',
    '/a/.hidden',
    '/%2egit',
    '/a%00.css',
    '/\0',
    '//a',
    '/a//b',
    '//',
  ],
  ...['/%', '/%zz', '/%c0%ae%c0%ae', '/a%2f..%2f..%2fb'],
];
for (const path of bad) {
  test(`path '${path}' names nothing`, () => assert.equal(readFilePath(path), null));
}
