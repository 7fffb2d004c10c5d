import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppRecord } from '../../model/app-record.ts';
import { readRouting, refuseForeignPlace, refuseSamePlace } from './routing.ts';

function app(id: string, hosts: readonly string[], prefix = ''): AppRecord {
  const kept = { createdAtMs: 0, serving: 1, canary: null, modes: {}, limits: {}, version: 1 };
  return { id, name: id, environment: 'production', hosts, prefix, ...kept };
}

test('hosts are kept in lower case, each once', () => {
  const read = readRouting({
    hosts: ['Shop.example.com', '*.example.com', 'shop.example.com'],
    prefix: '/a/b',
  });
  assert.deepEqual(read, { hosts: ['*.example.com', 'shop.example.com'], prefix: '/a/b' });
});

for (const host of [
  '',
  'a b',
  'shop.example.com:80',
  'http://shop',
  '*',
  'a.*.com',
  '-a.com',
  'a..b',
  'é.com',
  '../x',
]) {
  test(`no host: '${host}'`, () => {
    assert.throws(() => readRouting({ hosts: [host], prefix: '' }), { code: 'bad-request' });
  });
}

for (const prefix of [
  '/',
  'shop',
  '/shop/',
  '//',
  '/a//b',
  '/..',
  '/a/../b',
  '/a?b',
  '/a b',
  `/${'x'.repeat(300)}`,
]) {
  test(`no prefix: '${prefix.slice(0, 20)}'`, () => {
    assert.throws(() => readRouting({ hosts: [], prefix }), { code: 'bad-request' });
  });
}

test('two apps may not answer at the same place', () => {
  const others = [app('any', []), app('named', ['a.com', 'b.com']), app('below', ['a.com'], '/below')];
  const taken = (hosts: readonly string[], prefix = ''): void =>
    assert.throws(() => refuseSamePlace('new', { hosts, prefix }, others), { code: 'conflict' });
  taken([]);
  taken(['c.com', 'b.com']);
  taken(['a.com'], '/below');
});

test('other hosts, other prefixes, and its own place are free', () => {
  const others = [app('any', []), app('named', ['a.com'])];
  refuseSamePlace('new', { hosts: [], prefix: '/new' }, others);
  refuseSamePlace('new', { hosts: ['*.a.com'], prefix: '' }, others);
  refuseSamePlace('any', { hosts: [], prefix: '' }, others);
  refuseSamePlace('named', { hosts: ['a.com', 'b.com'], prefix: '' }, others);
});

test('an app that has never come up keeps nobody out', () => {
  const never = { ...app('first', ['a.example.com']), serving: null };
  assert.doesNotThrow(() => refuseSamePlace('second', { hosts: ['a.example.com'], prefix: '' }, [never]));
  const serves = app('first', ['a.example.com']);
  assert.throws(() => refuseSamePlace('second', { hosts: ['a.example.com'], prefix: '' }, [serves]), {
    code: 'conflict',
  });
});

test('who may not decide where apps answer gives a new one nothing of a host of another', () => {
  const others = [
    app('shop', ['shop.example.com']),
    app('wild', ['*.wild.com'], '/w'),
    app('part', ['a.com'], '/p'),
  ];
  const refused = (hosts: readonly string[], prefix = '', apps = others): void =>
    assert.throws(() => refuseForeignPlace('new', { hosts, prefix }, apps), {
      code: 'forbidden',
      message: /^new is new/,
    });
  refused(['shop.example.com'], '/login');
  refused(['b.com', 'shop.example.com']);
  refused(['*.example.com'], '/login');
  refused(['x.wild.com']);
  refused(['*.wild.com']);
  // What is left of a.com, beside /p.
  refused([]);
  refused(['b.com'], '/x', [app('any', [])]);
  refused([], '/x', [app('any', [])]);
  refuseForeignPlace('new', { hosts: ['b.com', 'wild.com', 'example.com'], prefix: '' }, others);
  refuseForeignPlace('new', { hosts: [], prefix: '' }, [app('shop', ['shop.example.com'])]);
  refuseForeignPlace('new', { hosts: [], prefix: '' }, [
    app('part', ['a.com'], '/p'),
    app('whole', ['a.com']),
  ]);
  refuseForeignPlace('new', { hosts: [], prefix: '' }, []);
});

test('and leaves one that exists where it is', () => {
  const apps = [app('shop', ['a.com', 'b.com'], '/x')];
  refuseForeignPlace('shop', { hosts: ['a.com', 'b.com'], prefix: '/x' }, apps);
  for (const routing of [
    { hosts: ['a.com', 'b.com'], prefix: '' },
    { hosts: ['a.com'], prefix: '/x' },
    { hosts: ['a.com', 'c.com'], prefix: '/x' },
  ])
    assert.throws(() => refuseForeignPlace('shop', routing, apps), {
      code: 'forbidden',
      message: /^shop exists/,
    });
});
