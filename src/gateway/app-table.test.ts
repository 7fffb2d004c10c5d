import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppTable } from './app-table.ts';
import type { GatewayApp } from './app-table.ts';
import { FakeDispatcher } from './testing/fake-dispatcher.ts';
import type { GatewayRelease } from './served-release.ts';

function release(changes: Partial<GatewayRelease> = {}): GatewayRelease {
  return {
    number: 1,
    dispatcher: new FakeDispatcher(),
    components: new Map(),
    gateway: { trustedProxies: [], cors: null },
    log: { write: () => undefined },
    outcomes: null,
    ...changes,
  };
}

function app(id: string, hosts: readonly string[], prefix = ''): GatewayApp {
  return { id, hosts, prefix, serving: release(), canary: null };
}

const APPS = new AppTable(
  [
    app('rest', []),
    app('tools', [], '/tools'),
    app('shop', ['shop.example.com', 'WWW.example.com']),
    app('shop-admin', ['shop.example.com'], '/admin'),
    app('shop-deep', ['shop.example.com'], '/admin/deep'),
    app('any', ['*.example.com']),
    app('lone', ['lone.example.org'], '/lone'),
    app('cafe', [], '/café'),
  ],
  null,
);

const CHOICES: [string, string, string][] = [
  ['shop.example.com', '/', 'shop'],
  ['www.example.com', '/x', 'shop'],
  ['shop.example.com', '/admin', 'shop-admin'],
  ['shop.example.com', '/admin/', 'shop-admin'],
  ['shop.example.com', '/admin/x', 'shop-admin'],
  ['shop.example.com', '/admin/deep/x', 'shop-deep'],
  ['shop.example.com', '/administrator', 'shop'],
  ['shop.example.com', '/tools/x', 'shop'],
  ['blog.example.com', '/', 'any'],
  ['blog.example.com', '/tools', 'any'],
  ['a.b.example.com', '/', 'rest'],
  ['example.com', '/', 'rest'],
  ['other.test', '/tools/x', 'tools'],
  ['other.test', '/tool', 'rest'],
  ['lone.example.org', '/lone/x', 'lone'],
  ['lone.example.org', '/x', 'rest'],
  ['other.test', '/caf%C3%A9/x', 'cafe'],
];
for (const [host, path, id] of CHOICES) {
  test(`${host}${path} is for ${id}`, () => assert.equal(APPS.match(host, path)?.id, id));
}

const NONE: [GatewayApp[], string, string, RegExp][] = [
  [[], 'a.test', '/', /No app has been deployed/],
  [[app('shop', ['shop.test'])], 'a.test', '/', /No app on this server answers under the host a\.test\./],
  [[app('shop', ['shop.test'], '/s')], 'shop.test', '/x', /answers for \/x under the host shop\.test\./],
  [[app('shop', ['*.test'], '/s')], 'shop.test', '/x', /answers for \/x under the host shop\.test\./],
];
for (const [apps, host, path, message] of NONE) {
  test(`nobody: ${apps.map(({ id }) => id).join()} for ${host}${path}`, () => {
    const table = new AppTable(apps, null);
    assert.equal(table.match(host, path), null);
    const error = table.noApp(host, path);
    assert.deepEqual([error.code, error.status], ['app-not-found', 404]);
    assert.match(error.message, message);
  });
}

test('a release that was served before is not made ready again; another one is', () => {
  const same = release();
  const table = (serving: GatewayRelease, before: AppTable | null): AppTable =>
    new AppTable([{ ...app('shop', []), serving }], before);
  const first = table(same, null);
  const second = table(same, first);
  const third = table(release(), second);
  const of = (one: AppTable): unknown => one.match('a.test', '/')!.serving;
  assert.equal(of(second), of(first));
  assert.notEqual(of(third), of(second));
});

test('two apps that claim the same are refused, and named', () => {
  assert.throws(
    () => new AppTable([app('one', ['A.test'], '/x'), app('two', ['a.test'], '/x')], null),
    /The apps one and two both claim a\.test\/x/,
  );
  assert.throws(() => new AppTable([app('one', []), app('two', [])], null), /both claim any host/);
  assert.doesNotThrow(() => new AppTable([app('one', ['a.test', 'a.test'])], null));
});
