import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseApp, type NamedApp } from './choose-app.ts';

const shop = { id: 'shop', name: 'shop' };
const staging = { id: 'shop@staging', name: 'shop' };
const blog = { id: 'blog@staging', name: 'blog' };

const CASES: [string, NamedApp[], string | undefined, NamedApp | RegExp][] = [
  ['the only one', [shop], undefined, shop],
  ['none', [], undefined, /no app on this server/],
  ['several', [shop, staging], undefined, /usage|say which one with `--app`: shop, shop@staging\./],
  ['by id', [shop, staging, blog], 'shop@staging', staging],
  ['production by the name that is its id', [staging, shop], 'shop', shop],
  ['by name where there is one environment', [shop, blog], 'blog', blog],
  [
    'by a name of several',
    [staging, { id: 'shop@test', name: 'shop' }],
    'shop',
    /several of 'shop'; .*shop@test/,
  ],
  ['mistyped', [shop, blog], 'shp', /no app 'shp' there\. Did you mean 'shop'\?/],
  ['unlike any', [shop], 'zzzzzz', /There are: shop\./],
  ['any where there is none', [], 'shop', /There is none yet\./],
];
for (const [what, apps, wanted, expected] of CASES) {
  test(`choosing an app: ${what}`, () => {
    if (expected instanceof RegExp) assert.throws(() => chooseApp(apps, wanted), expected);
    else assert.equal(chooseApp(apps, wanted), expected);
  });
}
