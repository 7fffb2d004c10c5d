import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { suite, test } from 'node:test';

import { FulcrumError } from '../base/errors.ts';
import type { BuildErrorDetails } from './build-error.ts';
import { evaluateConfig, type EvaluatedConfig } from './evaluate-config.ts';
import { TestApp } from './testing/test-app.ts';

const CONFIG = 'fulcrum.config.ts';

function evaluate(app: TestApp, timeoutMs?: number): Promise<EvaluatedConfig> {
  return evaluateConfig(app.path(CONFIG), {
    environment: 'staging',
    sdkPath: TestApp.sdkPath,
    appDirectory: app.directory,
    // Longer than the default: these tests may run on a machine that is busy with others.
    timeoutMs: timeoutMs ?? 60_000,
  });
}

async function refused(
  app: TestApp,
  code: string,
  timeoutMs?: number,
): Promise<{ message: string; details: BuildErrorDetails }> {
  try {
    await evaluate(app, timeoutMs);
  } catch (error) {
    assert.ok(error instanceof FulcrumError, String(error));
    assert.equal(error.code, code, error.message);
    const details = error.details as unknown as BuildErrorDetails;
    assert.ok(details.sources.includes(app.path(CONFIG)), 'the config is watched until it is mended');
    return { message: error.message, details };
  }
  return assert.fail('it was evaluated');
}

void suite('config', { concurrency: 2 }, () => {
  void test('an object, a promise, a function, an async function of the environment', async (t) => {
    const forms = [
      `export default defineApp({ name: 'shop', components: {} });`,
      `export default Promise.resolve(defineApp({ name: 'shop', components: {} }));`,
      `export default defineApp(({ environment }) => ({ name: 'shop', components: {}, environment }));`,
      `export default defineApp(async ({ environment }) => ({ name: await Promise.resolve('shop'), components: {}, environment }));`,
    ];
    const configs = await Promise.all(
      forms.map(async (form) => {
        const app = new TestApp(t);
        app.write({ [CONFIG]: `import { defineApp } from 'fulcrum';\n${form}` });
        return (await evaluate(app)).config;
      }),
    );
    const plain = { name: 'shop', components: {} };
    const given = { ...plain, environment: 'staging' };
    assert.deepEqual(configs, [plain, plain, given, given]);
  });

  void test('reads what it imports and what lies beside it, and tells what it was made of', async (t) => {
    const app = new TestApp(t);
    app.write({
      [CONFIG]: `
        import { readFileSync } from 'node:fs';
        import { name } from './config/name.ts';
        export default { name, note: readFileSync(new URL('./note.txt', import.meta.url), 'utf8') };`,
      'config/name.ts': `enum Names { Shop = 'shop' } export const name: string = Names.Shop;`,
      'note.txt': 'beside',
    });
    const { config, sources } = await evaluate(app);
    assert.deepEqual(config, { name: 'shop', note: 'beside' });
    assert.deepEqual(sources, [app.path('config/name.ts'), app.path(CONFIG)]);
    assert.deepEqual(readdirSync(app.path('.fulcrum/config')), [], 'nothing is left behind');
  });

  void test('is evaluated anew each time, even where it has not changed', async (t) => {
    const app = new TestApp(t);
    app.write({
      [CONFIG]: `import { readFileSync } from 'node:fs'; export default readFileSync(import.meta.dirname + '/n', 'utf8');`,
      n: '1',
    });
    const before = await evaluate(app);
    app.write({ n: '2' });
    assert.deepEqual([before.config, (await evaluate(app)).config], ['1', '2']);
  });

  void test('an endless loop ends at the time limit', async (t) => {
    const app = new TestApp(t);
    app.write({ [CONFIG]: `for (;;) {}\nexport default {};` });
    const { message } = await refused(app, 'config-invalid', 300);
    assert.match(message, /fulcrum\.config\.ts was not evaluated within 300ms/);
    assert.ok(
      !existsSync(app.path('.fulcrum/config')) || readdirSync(app.path('.fulcrum/config')).length === 0,
    );
  });

  void test('a promise that never settles, with and without something that keeps the thread alive', async (t) => {
    const [idle, busy] = [new TestApp(t), new TestApp(t)];
    idle.write({ [CONFIG]: `export default new Promise(() => {});` });
    busy.write({ [CONFIG]: `setInterval(() => {}, 10); export default () => new Promise(() => {});` });
    assert.match(
      (await refused(idle, 'config-invalid')).message,
      /ended its thread \(exit code 0\).*what it awaits must come/,
    );
    assert.match((await refused(busy, 'config-invalid', 300)).message, /was not evaluated within/);
  });

  void test('process.exit ends the config and not the server', async (t) => {
    const app = new TestApp(t);
    app.write({ [CONFIG]: `process.exit(3); export default {};` });
    assert.match(
      (await refused(app, 'config-invalid')).message,
      /ended its thread \(exit code 3\).*must not call process\.exit/,
    );
  });

  void test('memory without end ends the config and not the server', async (t) => {
    const app = new TestApp(t);
    app.write({
      [CONFIG]: `const all: unknown[] = []; for (;;) all.push(new Array(1e6).fill(all.length)); export default {};`,
    });
    assert.match((await refused(app, 'config-invalid')).message, /could not be evaluated: .*memory/i);
  });

  void test('what it throws is told with its place in the author’s file', async (t) => {
    const app = new TestApp(t);
    app.write({
      [CONFIG]: `import { check } from './check.ts';\nenum A { B }\nexport default () => check(A.B);`,
      'check.ts': `export interface Given {}\n\nexport function check(value: number): never {\n  throw new TypeError(\`no \${value}\`);\n}`,
    });
    const { message, details } = await refused(app, 'config-invalid');
    assert.match(message, /^check\.ts:4:9: fulcrum\.config\.ts threw an error: no 0\n/);
    assert.match(message, /\n> 4 | {3}throw new TypeError/);
    assert.deepEqual([details.file, details.line, details.column], [app.path('check.ts'), 4, 9]);
  });

  void test('a rejection, and something thrown that is no error', async (t) => {
    const [rejects, throws] = [new TestApp(t), new TestApp(t)];
    rejects.write({ [CONFIG]: `export default Promise.reject(new Error('not today'));` });
    throws.write({ [CONFIG]: `throw 'a text';\nexport default {};` });
    assert.match((await refused(rejects, 'config-invalid')).message, /threw an error: not today/);
    assert.match((await refused(throws, 'config-invalid')).message, /threw an error: a text/);
  });

  void test('an error that comes after the config is no longer of interest', async (t) => {
    const app = new TestApp(t);
    app.write({
      [CONFIG]: `setTimeout(() => { throw new Error('late'); }, 5); export default { name: 'shop' };`,
    });
    assert.deepEqual((await evaluate(app)).config, { name: 'shop' });
  });

  void test('no default export', async (t) => {
    const [named, none] = [new TestApp(t), new TestApp(t)];
    named.write({ [CONFIG]: `export const app = {};` });
    none.write({ [CONFIG]: `` });
    assert.match(
      (await refused(named, 'config-invalid')).message,
      /has no default export: it exports only app\./,
    );
    assert.match(
      (await refused(none, 'config-invalid')).message,
      /has no default export: it exports nothing\./,
    );
  });

  void test('a value that is no data is told by its path', async (t) => {
    const cases = [
      [
        `{ components: { shop: { entry: './a.ts', check() {} } } }`,
        /'components\.shop\.check' is the function check;/,
      ],
      [
        `{ components: { 'my-shop': { routes: ['/', Symbol('x')] } } }`,
        /'components\["my-shop"\]\.routes\[1\]' is a symbol;/,
      ],
      [`() => () => 1`, /the config is a function;/],
      [`{ name: Promise.resolve('shop') }`, /'name' is a promise that is not awaited;/],
    ] as const;
    await Promise.all(
      cases.map(async ([config, expected]) => {
        const app = new TestApp(t);
        app.write({ [CONFIG]: `export default ${config};` });
        assert.match((await refused(app, 'config-invalid')).message, expected);
      }),
    );
  });

  void test('a syntax error is a build error with its place', async (t) => {
    const app = new TestApp(t);
    app.write({ [CONFIG]: `export default {\n  name: 'shop'\n  components: {},\n};` });
    assert.match((await refused(app, 'build-failed')).message, /^fulcrum\.config\.ts:3:3: .*\n/);
  });

  void test('a config that does not exist', async (t) => {
    const app = new TestApp(t);
    assert.match((await refused(app, 'build-failed')).message, /fulcrum\.config\.ts/);
  });
});
