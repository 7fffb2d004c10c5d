import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseServer } from './choose-server.ts';
import type { ServerEntry } from './registry.ts';

function server(directory: string, appName = directory.split('/').at(-1)!): ServerEntry {
  const socketPath = `/run/${appName}.sock`;
  const gatewayUrl = 'http://127.0.0.1:8080';
  return {
    id: appName,
    pid: 1,
    kind: 'dev',
    appName,
    directory,
    socketPath,
    adminUrl: null,
    gatewayUrl,
    startedAtMs: 1,
  };
}

const shop = server('/home/ann/shop');
const nested = server('/home/ann/shop/tools/admin');
const blog = server('/home/ann/blog');

const CASES: [string, string, ServerEntry[], string | undefined, ServerEntry | RegExp][] = [
  ['in the app’s folder', '/home/ann/shop', [blog, shop], undefined, shop],
  ['below it', '/home/ann/shop/src/deep', [blog, shop], undefined, shop],
  ['the nearest of two around', '/home/ann/shop/tools/admin/src', [shop, nested], undefined, nested],
  ['around rather than below', '/home/ann/shop', [nested, shop], undefined, shop],
  ['above one', '/home/ann/blog/..', [blog], undefined, blog],
  ['above one of two', '/home/ann/shop/tools', [nested, blog], undefined, nested],
  ['elsewhere, only one', '/', [shop], undefined, shop],
  ['elsewhere, the only one is not around', '/srv', [shop], undefined, shop],
  [
    'a name that merely begins alike',
    '/home/ann/shopping',
    [shop, blog],
    undefined,
    /Several servers are running/,
  ],
  ['above two', '/home/ann', [shop, blog], undefined, /--app`.*\n.*shop.*\n.*blog/],
  ['none', '/', [], undefined, /No Fulcrum server is running.*fulcrum dev/],
  ['none, explicit', '/', [], '/home/ann/shop', /No Fulcrum server is running/],
  ['explicit folder', '/srv', [shop, blog], '/home/ann/blog', blog],
  ['explicit folder, relative', '/home/ann', [shop, blog], './blog', blog],
  ['explicit folder, trailing slash', '/', [shop, blog], '/home/ann/shop/', shop],
  ['explicit name', '/srv', [shop, blog], 'blog', blog],
  [
    'explicit, only one but not it',
    '/home/ann/shop',
    [shop],
    '/srv/else',
    /No server runs the app \/srv\/else.*\n.*shop/,
  ],
  [
    'twins',
    '/home/ann/shop',
    [shop, { ...shop, pid: 2 }],
    undefined,
    /run the same app.*\n.*pid 1.*\n.*pid 2/,
  ],
];

test('choosing a server by its address: they are told as they can be typed', () => {
  assert.throws(
    () => chooseServer('/', [shop, blog], undefined, '--to'),
    /say which one with `--to`:\n {2}--to unix:\/run\/shop\.sock\n.*\n {2}--to unix:\/run\/blog\.sock\n/,
  );
  assert.throws(() => chooseServer('/', [], undefined, '--to'), /fulcrum serve --data DIR.*--to URL/);
  const both = [shop, blog].map((each) => ({ ...each, kind: 'serve' as const, apps: ['shop'] }));
  // To say the app once more would not help.
  assert.throws(() => chooseServer('/', both, 'shop'), /with `--url`:\n {2}--url unix:/);
});

for (const [what, cwd, servers, explicit, expected] of CASES) {
  test(`choosing a server: ${what}`, () => {
    if (expected instanceof RegExp) assert.throws(() => chooseServer(cwd, servers, explicit), expected);
    else assert.equal(chooseServer(cwd, servers, explicit), expected);
  });
}
