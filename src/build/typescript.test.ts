import assert from 'node:assert/strict';
import { suite, test, type TestContext } from 'node:test';

import { TestApp } from './testing/test-app.ts';

const TINY_JSX = `
export const Fragment = Symbol('fragment');
export function jsx(type, { children, ...props }) {
  if (typeof type === 'function') return type({ children, ...props });
  const inner = [children].flat().filter((child) => child !== undefined).map(String).join('');
  if (type === Fragment) return inner;
  const attributes = Object.entries(props).map(([name, value]) => \` \${name}="\${value}"\`).join('');
  return \`<\${type}\${attributes}>\${inner}</\${type}>\`;
}
export const jsxs = jsx;
`;

/** What the default export of a fixture gives once it is bundled and run. */
async function run(
  t: TestContext,
  entry: string,
  files: Record<string, string> = {},
): Promise<{ exports: string[]; value: unknown }> {
  const app = new TestApp(t, 'typescript');
  app.write({
    'node_modules/tiny-jsx/package.json':
      '{ "name": "tiny-jsx", "type": "module", "exports": { "./jsx-runtime": "./runtime.js" } }',
    'node_modules/tiny-jsx/runtime.js': TINY_JSX,
    ...files,
  });
  return app.run(entry);
}

void suite('TypeScript as people write it', { concurrency: true }, () => {
  void test('enums, plain and const, within a file and across files', async (t) => {
    const { value } = await run(t, 'enums.ts');
    assert.deepEqual(value, {
      red: 0,
      green: 'green!',
      blue: 8,
      name: 'Red',
      local: 'b',
      level: 10,
      size: 'l',
    });
  });

  void test('namespaces, nested, merged and aliased', async (t) => {
    assert.deepEqual((await run(t, 'namespaces.ts')).value, { area: 9, merged: 7 });
  });

  void test('parameter properties, abstract classes, overloads, declared fields', async (t) => {
    const { value } = await run(t, 'classes.ts');
    assert.deepEqual(value, { text: 'EUR 9.95 price 995', own: false, picked: 3, name: 'Price' });
  });

  for (const entry of ['decorators-plain.ts', 'decorators.ts']) {
    void test(`older decorators with their metadata, as tsconfig asks for (${entry})`, async (t) => {
      const { value } = await run(t, entry);
      const { found, types, seen } = value as {
        found: string;
        types: Record<string, string[]>;
        seen: string[];
      };
      assert.equal(found, 'x Repository');
      assert.deepEqual(types, {
        'name design:type': ['String'],
        'find design:type': ['Function'],
        'find design:paramtypes': ['String'],
        'find design:returntype': ['Promise'],
        'class design:paramtypes': ['Repository', 'Number'],
      });
      assert.deepEqual(seen, ['field name', 'param 1', 'class Service', 'call find']);
    });
  }

  void test('JSX with the runtime that tsconfig names', async (t) => {
    assert.deepEqual((await run(t, 'page.tsx')).value, { html: '<h1 class="big">Hello you</h1><br></br>' });
  });

  void test('JSX that tsconfig says to preserve, since no other tool comes after', async (t) => {
    const tsconfig = { compilerOptions: { jsx: 'preserve', jsxImportSource: 'tiny-jsx' } };
    const { value } = await run(t, 'page.tsx', { 'tsconfig.json': JSON.stringify(tsconfig) });
    assert.deepEqual(value, { html: '<h1 class="big">Hello you</h1><br></br>' });
  });

  void test('paths of tsconfig', async (t) => {
    assert.deepEqual((await run(t, 'paths.ts')).value, { greeting: 'hello paths', level: 3 });
  });

  void test('types that are imported and exported as if they were values', async (t) => {
    assert.deepEqual((await run(t, 'type-exports.ts')).value, { id: 'o-1', rate: 2 });
  });

  void test('import = require, JSON, top-level await, dynamic import, Node’s modules with and without prefix', async (t) => {
    const { value, exports } = await run(t, 'imports.ts');
    assert.deepEqual(value, {
      exists: true,
      name: 'data',
      fromName: 'data',
      typed: 2,
      joined: 'a/b',
      ready: 'awaited',
      late: 'HELLO HI1',
    });
    // What a split chunk needs of the entry must not show among what the component exports.
    assert.deepEqual(exports, ['default', 'shared']);
  });
});
