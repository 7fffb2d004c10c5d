import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Router } from './router.ts';

function router(...routes: (string | [string, string])[]): Router<string> {
  return new Router(
    routes.map((given) => {
      const [host, path] = typeof given === 'string' ? [null, given] : given;
      return { route: { host, path }, value: `${host ?? ''}${path}` };
    }),
  );
}

const table: [string[], string, string | null][] = [
  [['/*'], '/', '/*'],
  [['/*'], '/a/b', '/*'],
  [['/api/*'], '/api', '/api/*'],
  [['/api/*'], '/api/', '/api/*'],
  [['/api/*'], '/apis', null],
  [['/api/*', '/api/v1/*'], '/api/v1/x', '/api/v1/*'],
  [['/api/*', '/api/v1/*'], '/api/v2/x', '/api/*'],
  [['/api/*', '/api'], '/api', '/api'],
  [['/api/*', '/api'], '/api/', '/api/*'],
  [['/a/b/c/*'], '/a/b', null],
  [['/*', '/a/b/c/*'], '/a/b/x', '/*'],
  [['/api'], '/API', null],
  [['/*'], '*', null],
  [['/café/*'], '/caf%C3%A9/x', '/café/*'],
  [['/constructor/*'], '/__proto__', null],
];
for (const [routes, path, expected] of table) {
  test(`${routes.join(' ')} · ${path} → ${expected ?? 'nothing'}`, () => {
    assert.equal(router(...routes).match('example.com', path), expected);
  });
}

test('a host of its own comes before a wildcard, and that before no host', () => {
  const found = router(
    '/*',
    ['*.example.com', '/*'],
    ['shop.example.com', '/cart/*'],
    ['Api.Example.com', '/*'],
  );
  assert.equal(found.match('shop.example.com', '/cart/1'), 'shop.example.com/cart/*');
  assert.equal(found.match('shop.example.com', '/other'), '*.example.com/*');
  assert.equal(found.match('api.example.com', '/'), 'Api.Example.com/*');
  assert.equal(found.match('a.b.example.com', '/'), '/*');
  assert.equal(found.match('example.com', '/'), '/*');
  assert.equal(found.match('.example.com', '/'), '/*');
});

/** The rule as a sentence: of all that match, the first by host, exactness and length. */
function naive(routes: readonly [string | null, string][], host: string, path: string): string | null {
  const hostRank = (pattern: string | null): number => {
    if (pattern === null) return 2;
    if (pattern === host) return 0;
    const [first, ...rest] = host.split('.');
    return pattern.startsWith('*.') && first !== '' && rest.join('.') === pattern.slice(2) ? 1 : -1;
  };
  const matches = (pattern: string): boolean => {
    if (!pattern.endsWith('/*')) return pattern === path;
    const prefix = pattern.slice(0, -2);
    return path === prefix || path.startsWith(`${prefix}/`);
  };
  const found = routes
    .filter(([pattern, route]) => hostRank(pattern) >= 0 && matches(route))
    .sort(
      (a, b) =>
        hostRank(a[0]) - hostRank(b[0]) ||
        Number(a[1].endsWith('/*')) - Number(b[1].endsWith('/*')) ||
        b[1].length - a[1].length,
    );
  return found[0] === undefined ? null : `${found[0][0] ?? ''}${found[0][1]}`;
}

test('finds what a search through all routes finds', () => {
  const segment = fc.constantFrom('a', 'b', 'ab', '');
  const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
  const pattern = fc
    .tuple(path, fc.boolean())
    .map(([text, prefix]) => (prefix ? `${text === '/' ? '' : text}/*` : text));
  const patternHost = fc.constantFrom(null, 'x.io', 'a.x.io', '*.x.io', '*.io');
  const host = fc.constantFrom('x.io', 'a.x.io', 'b.x.io', 'a.b.x.io', 'io');
  fc.assert(
    fc.property(
      fc.array(fc.tuple(patternHost, pattern), { maxLength: 12 }),
      host,
      path,
      (routes, host, path) => {
        const built = new Router(
          routes.map(([own, route]) => ({
            route: { host: own, path: route },
            value: `${own ?? ''}${route}`,
          })),
        );
        assert.equal(built.match(host, path), naive(routes, host, path));
      },
    ),
    { numRuns: 3_000 },
  );
});
