import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { suite, test } from 'node:test';

import { FulcrumError } from '../base/errors.ts';
import type { BuildErrorDetails } from './build-error.ts';
import { TestApp } from './testing/test-app.ts';

async function failure(
  app: TestApp,
  entry = 'entry.ts',
): Promise<{ message: string; details: BuildErrorDetails }> {
  try {
    await app.bundle(entry);
  } catch (error) {
    assert.ok(error instanceof FulcrumError, String(error));
    assert.equal(error.code, 'build-failed');
    return { message: error.message, details: error.details as unknown as BuildErrorDetails };
  }
  return assert.fail('it was built');
}

void suite('code that does not build', { concurrency: true }, () => {
  void test('a syntax error is told with its place and the lines around it', async (t) => {
    const app = new TestApp(t);
    app.write({
      'entry.ts': `import './lib/price.ts';\nexport default 1;\n`,
      'lib/price.ts': `export const vat = 0.2;\n\texport const price = (net: number => net;\nexport const other = 1;\n`,
    });
    const { message, details } = await failure(app);
    assert.match(message, /^lib\/price\.ts:2:\d+: /);
    assert.match(message, /\n> 2 | {2}export const price = \(net: number => net;\n/);
    assert.equal(details.file, app.path('lib/price.ts'));
    assert.equal(details.line, 2);
    const [, marked, caret] = details.frame!.split('\n');
    assert.equal(marked!.slice(0, 5), '> 2 |');
    assert.equal(caret!.indexOf('^') - '> 2 | '.length + 1, details.column);
    assert.deepEqual(details.sources, [app.path('entry.ts'), app.path('lib/price.ts')]);
  });

  void test('every error is told, not only the first', async (t) => {
    const app = new TestApp(t);
    app.write({
      'entry.ts': `import './a.ts';\nimport './b.ts';\nimport './c.json';\nexport default 1;`,
      'a.ts': `const a = ;`,
      'b.ts': `let b = 1;\nlet b = 2;`,
      'c.json': `{ "c": }`,
    });
    const { message, details } = await failure(app);
    assert.deepEqual(details.errors.map(({ file, line }) => `${basename(file!)}:${line}`).sort(), [
      'a.ts:1',
      'b.ts:1',
      'c.json:1',
    ]);
    for (const place of ['a.ts:1:11', 'b.ts:1:5', 'c.json:1:8']) assert.ok(message.includes(place), message);
  });

  void test('imports that lead nowhere: every one, with where it stands and what would mend it', async (t) => {
    const app = new TestApp(t);
    app.write({
      'entry.ts': [
        `// import x from 'left-pad' in a comment`,
        `import { a } from './gone';`,
        `import pad from 'left-pad';`,
        `export const late = () => import('@scope/late/part');`,
        `export default () => [a, pad];`,
      ].join('\n'),
    });
    const { message, details } = await failure(app);
    const places = details.errors.map(({ line, message }) => `${line} ${/'.*?'/.exec(message)?.[0]}`);
    assert.deepEqual(places.sort(), [`2 './gone'`, `3 'left-pad'`, `4 '@scope/late/part'`]);
    assert.match(message, /entry\.ts:3:17: Could not resolve 'left-pad'/);
    for (const name of ['gone.ts', 'gone/index.ts', 'node_modules/left-pad', 'node_modules/@scope/late']) {
      assert.ok(details.sources.includes(app.path(name)), name);
    }
  });

  void test('packages that are not installed, and nothing else', async (t) => {
    const app = new TestApp(t);
    app.write({
      'entry.ts': `import pad from 'left-pad';\nconst x = require('right-pad');\nexport default () => [pad, x];`,
    });
    const { details } = await failure(app);
    assert.deepEqual(details.errors.map(({ line, column }) => `${line}:${column}`).sort(), ['1:17', '2:19']);
    assert.ok(details.sources.includes(app.path('node_modules/left-pad')));
  });

  void test('a name that is not exported; a type is not mistaken for one', async (t) => {
    const app = new TestApp(t);
    app.write({
      'entry.ts': `export { Order } from './types.ts';\nimport { total } from './types.ts';\nexport default () => total;`,
      'types.ts': `export interface Order {}\nexport const totals = 1;`,
    });
    const { message } = await failure(app);
    assert.match(message, /entry\.ts:2:10: "total" is not exported by "types\.ts"/);
  });

  void test('standard decorators are refused with what to do', async (t) => {
    const app = new TestApp(t);
    app.write({
      'entry.ts': `/**\n * @example\n */\nconst log = (value: any, _: unknown) => value;\nclass A {\n  @log\n  run() {}\n}\nexport default () => new A();`,
    });
    const { message } = await failure(app);
    assert.match(message, /^entry\.ts:6:3: Standard decorators .*"experimentalDecorators": true/);
  });

  void test('an entry that does not exist', async (t) => {
    const app = new TestApp(t);
    const { message, details } = await failure(app, 'nowhere.ts');
    assert.match(message, /nowhere\.ts/);
    assert.ok(details.sources.includes(app.path('nowhere.ts')));
  });

  void test('a tsconfig that cannot be read', async (t) => {
    const app = new TestApp(t);
    app.write({ 'entry.ts': 'export default 1;', 'tsconfig.json': '{ "compilerOptions": { ' });
    const { message, details } = await failure(app);
    assert.match(message, /tsconfig\.json/);
    assert.ok(details.sources.includes(app.path('tsconfig.json')));
  });

  void test('what a dependency cannot find is an error where it cannot run without it', async (t) => {
    const app = new TestApp(t);
    app.write({
      'entry.ts': `import broken from 'broken'; export default () => broken;`,
      'node_modules/broken/package.json': '{ "name": "broken", "type": "module" }',
      'node_modules/broken/index.js': `import gone from 'gone'; export default gone;`,
    });
    assert.match((await failure(app)).message, /node_modules\/broken\/index\.js:1:\d+: .*'gone'/);
  });
});
