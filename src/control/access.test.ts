import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedAuthorities, checkSession, checkSite, type AccessHeaders } from './access.ts';

const authorities = allowedAuthorities(8081, ['Admin.example.com']);
const none: AccessHeaders = {
  host: '127.0.0.1:8081',
  origin: null,
  fetchSite: null,
  cookie: null,
};

const HOSTS: [string | null, boolean][] = [
  ['127.0.0.1:8081', true],
  ['localhost:8081', true],
  ['LOCALHOST:8081', true],
  ['[::1]:8081', true],
  ['admin.example.com', true],
  ['127.0.0.1', false],
  ['127.0.0.1:8080', false],
  ['localhost', false],
  ['localhost:80810', false],
  ['localhost.:8081', false],
  ['evil.example:8081', false],
  ['localhost.evil.example:8081', false],
  ['admin.example.com:8081', false],
  ['0.0.0.0:8081', false],
  ['127.0.0.1:8081@evil.example', false],
  ['', false],
  [null, false],
];
for (const [host, allowed] of HOSTS) {
  test(`Host ${host} is ${allowed ? 'allowed' : 'refused'}`, () => {
    assert.equal(checkSite({ ...none, host }, authorities)?.code ?? null, allowed ? null : 'forbidden');
  });
}

const ORIGINS: [string | null, boolean][] = [
  [null, true],
  ['http://127.0.0.1:8081', true],
  ['http://localhost:8081', true],
  ['http://[::1]:8081', true],
  ['https://admin.example.com', true],
  ['http://127.0.0.1:8080', false],
  ['http://127.0.0.1', false],
  ['null', false],
  ['', false],
  ['https://evil.example', false],
  ['file://', false],
  ['http://localhost:8081.evil.example', false],
  ['http://localhost:8081/', false],
  ['chrome-extension://localhost:8081', false],
];
for (const [origin, allowed] of ORIGINS) {
  test(`Origin ${origin} is ${allowed ? 'allowed' : 'refused'}`, () => {
    assert.equal(checkSite({ ...none, origin }, authorities)?.code ?? null, allowed ? null : 'forbidden');
  });
}

test('on port 80 the names need no port', () => {
  const authorities = allowedAuthorities(80);
  assert.equal(checkSite({ ...none, host: 'localhost' }, authorities), null);
  assert.equal(checkSite({ ...none, host: 'localhost:80' }, authorities), null);
});

const session = { name: 'c', value: 'v' };
const own = 'http://127.0.0.1:8081';
const SESSIONS: [string, string, Partial<AccessHeaders>, string | null][] = [
  ['its own page reads', 'GET', { cookie: 'c=v', fetchSite: 'same-origin' }, null],
  ['the address bar reads', 'GET', { cookie: 'c=v', fetchSite: 'none' }, null],
  ['an old browser reads', 'GET', { cookie: 'a=b; c=v' }, null],
  ['its own page writes', 'POST', { cookie: 'c=v', origin: own, fetchSite: 'same-origin' }, null],
  ['another port set a cookie too', 'GET', { cookie: 'c=theirs; c=v' }, null],
  ['a page on another port reads', 'GET', { cookie: 'c=v', fetchSite: 'same-site' }, 'forbidden'],
  ['a foreign page reads', 'GET', { cookie: 'c=v', fetchSite: 'cross-site' }, 'forbidden'],
  ['a write without an origin', 'POST', { cookie: 'c=v' }, 'forbidden'],
  ['a wrong cookie', 'GET', { cookie: 'c=w' }, 'unauthorized'],
  ['a cookie of a longer name', 'GET', { cookie: 'xc=v' }, 'unauthorized'],
  ['no cookie', 'GET', {}, 'unauthorized'],
];
for (const [what, method, headers, code] of SESSIONS) {
  test(`session: ${what} → ${code ?? 'allowed'}`, () => {
    assert.equal(checkSession({ ...none, ...headers }, method, session)?.code ?? null, code);
  });
}
