import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isPostgresUrl, readPostgresUrl } from './postgres-url.ts';

test('a name tells where it is and nothing secret', () => {
  const names = [
    'postgres://anna:pa%40ss@db.internal:5433/shop?sslmode=verify-full&password=other',
    'postgresql://db.internal/shop',
    'postgres://anna@localhost/shop?host=/run/postgresql',
  ].map((url) => readPostgresUrl(url).name);
  assert.deepEqual(names, [
    'postgres://anna@db.internal:5433/shop',
    'postgres://db.internal/shop',
    'postgres://anna@/run/postgresql/shop',
  ]);
});

test('a server that TLS is asked for is always checked, but where the URL says not to', () => {
  const mode = (url: string): string | null =>
    new URL(readPostgresUrl(url).connectionString).searchParams.get('sslmode');
  for (const asked of ['prefer', 'require', 'verify-ca', 'verify-full']) {
    assert.equal(mode(`postgres://h/d?sslmode=${asked}`), 'verify-full');
  }
  assert.equal(mode('postgres://h/d?sslmode=no-verify'), 'no-verify');
  assert.equal(mode('postgres://h/d?sslmode=disable'), 'disable');
  assert.equal(mode('postgres://h/d?sslmode=require&uselibpqcompat=true'), 'require');
  assert.equal(mode('postgres://h/d'), null);
});

test('a URL is told from a path', () => {
  for (const url of ['postgres://h/d', 'postgresql://h/d', 'POSTGRES://h/d']) assert.ok(isPostgresUrl(url));
  for (const path of ['/var/lib/fulcrum', 'postgres.db', './postgres/x', 'mysql://h/d']) {
    assert.ok(!isPostgresUrl(path));
  }
});
