import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTarget } from './request-target.ts';

const table: [string, ReturnType<typeof readTarget>][] = [
  ['/', { authority: null, path: '/', query: '' }],
  ['/a/b?c=d?e', { authority: null, path: '/a/b', query: '?c=d?e' }],
  ['/a?b=../c', { authority: null, path: '/a', query: '?b=../c' }],
  ['/api/../admin', { authority: null, path: '/admin', query: '' }],
  ['/api/%2e%2E/admin?x', { authority: null, path: '/admin', query: '?x' }],
  ['/api\\..\\admin', { authority: null, path: '/admin', query: '' }],
  ['/a/./b', { authority: null, path: '/a/b', query: '' }],
  ['/.well-known/x', { authority: null, path: '/.well-known/x', query: '' }],
  ['/../../..', { authority: null, path: '/', query: '' }],
  ['//a/b', { authority: null, path: '//a/b', query: '' }],
  ['//a/..//b', { authority: null, path: '///b', query: '' }],
  ['/a%2fb', { authority: null, path: '/a%2fb', query: '' }],
  ['http://shop.io/a?b', { authority: 'shop.io', path: '/a', query: '?b' }],
  ['HTTP://shop.io?b', { authority: 'shop.io', path: '/', query: '?b' }],
  ['*', null],
  ['', null],
  ['shop.io:80', null],
  ['ftp://shop.io/', null],
];
for (const [raw, expected] of table) {
  test(`target ${raw}`, () => assert.deepEqual(readTarget(raw), expected));
}
