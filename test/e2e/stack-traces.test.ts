import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { FulcrumError } from '../../src/base/errors.ts';
import { startApp, type TestApp } from '../../src/testing/index.ts';

const MODULE = `
import { use } from 'fulcrum';
import { fail } from './lib/deep.ts';

interface Wanted { readonly size: number }
const other = use<typeof import('./OTHER.ts') & { nobody(): void }>('OTHER');

export async function named(wanted: Wanted): Promise<number> {
  await null;
  return fail(wanted);
}
const doing: Record<string, () => unknown> = {
  throw: () => fail({ size: 1 }),
  console: () => { try { fail({ size: 2 }); } catch (error) { console.error('seen:', new Error('outer', { cause: error })); } },
  call: async () => { await other.named({ size: 3 }); },
  nobody: async () => { await other.nobody(); },
  late: () => { setTimeout(() => fail({ size: 4 }), 1); return new Promise(() => undefined); },
  reject: () => { void named({ size: 5 }); return new Promise(() => undefined); },
  data: () => { throw new Error('Cannot read ' + import.meta.filename); },
};
export default {
  async fetch(request: Request): Promise<Response> {
    await doing[new URL(request.url).pathname.split('/').at(-1)!]!();
    return new Response('done');
  },
};
`;

const FILES = {
  'fulcrum.config.ts': `export default { name: 'traces', components: {
    a: { entry: './a.ts', routes: ['/a/*'] },
    b: { entry: './b.ts', routes: ['/b/*'], mode: 'service' },
    program: { command: 'node server.js', cwd: './program', routes: ['/program/*'] },
  } };`,
  'a.ts': MODULE.replaceAll('OTHER', 'b'),
  'b.ts': MODULE.replaceAll('OTHER', 'a'),
  // Types that are stripped, and lines that the bundle has not.
  'lib/deep.ts': `interface Shape {\n  readonly size: number;\n}\n\n// Told by its line.\nexport function fail(shape: Shape): never {\n  throw new TypeError(\`no \${shape.size}\`);\n}\n`,
  'program/server.js': `require('node:http').createServer((request, response) => {
  console.error(new Error('from a program'));
  response.end();
}).listen(process.env.PORT, '127.0.0.1');\n`,
};

function folder(files: Readonly<Record<string, string>>): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'fulcrum-traces-')));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return directory;
}

/** A function runs on the fork engine where there is one, a service on the plain one. */
for (const component of ['a', 'b']) {
  const other = component === 'a' ? 'b' : 'a';
  void suite(`stack traces of a ${component === 'a' ? 'function' : 'service'}`, () => {
    let directory: string;
    let app: TestApp;
    before(async () => {
      directory = folder(FILES);
      app = await startApp({ directory });
    });
    after(async () => {
      await app.close();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    });

    /** What the component has logged for a request, once that has been answered. */
    async function logged(what: string): Promise<string> {
      const seen = app.logs(component).length;
      const answer = await app.fetch(`/${component}/${what}`);
      const body = await answer.text();
      assert.ok(!body.includes(directory), body);
      assert.ok(!body.includes('deep.ts'), body);
      const entries = app
        .logs(component)
        .slice(seen)
        .filter(({ stream }) => stream !== 'platform');
      return entries.map(({ text }) => text).join('\n');
    }

    const CASES: readonly (readonly [string, string, string])[] = [
      [
        'a handler that throws',
        'throw',
        'TypeError: no 1\n    at fail (lib/deep.ts:7:9)\n    at Object.throw (ME.ts:13:16)\n    at Object.fetch (ME.ts:23:66)',
      ],
      [
        'an error that is printed, with its cause',
        'console',
        `seen: Error: outer\n    at Object.console (ME.ts:14:86)\n    at Object.fetch (ME.ts:23:66) {\n  [cause]: TypeError: no 2\n      at fail (lib/deep.ts:7:9)\n      at Object.console (ME.ts:14:26)\n      at Object.fetch (ME.ts:23:66)\n}`,
      ],
      [
        'an error from another component, with the caller below',
        'call',
        'TypeError: no 3\n    at fail (lib/deep.ts:7:9)\n    at named (OTHER.ts:10:10)\n    at async Object.call (ME.ts:15:23)\n    at async Object.fetch (ME.ts:23:5)',
      ],
      [
        'a call that cannot be made, with none but the caller’s frames',
        'nobody',
        'FulcrumError: Component "ME" calls function "nobody" of component "OTHER" (request ID): The component exports no function `nobody`. There are: `named`.\n    at async Object.nobody (ME.ts:16:25)\n    at async Object.fetch (ME.ts:23:5)',
      ],
      [
        'an exception that nobody catches',
        'late',
        'Uncaught exception, which ends the instance: TypeError: no 4\n    at fail (lib/deep.ts:7:9)\n    at Timeout._onTimeout (ME.ts:17:34)',
      ],
      [
        'a rejection that nobody handles',
        'reject',
        'Unhandled rejection, which ends the instance: TypeError: no 5\n    at fail (lib/deep.ts:7:9)\n    at named (ME.ts:10:10)',
      ],
      [
        'a message that names a file of the app',
        'data',
        'Error: Cannot read ME.ts\n    at Object.data (ME.ts:19:23)\n    at Object.fetch (ME.ts:23:66)',
      ],
    ];
    for (const [name, what, expected] of CASES) {
      void test(name, async () => {
        const text = (await logged(what)).replace(/\br_[0-9a-z]+/, 'ID');
        assert.equal(text, expected.replaceAll('ME', component).replaceAll('OTHER', other));
      });
    }

    void test('what is told to whoever invokes it', async () => {
      const { thrown } = await app.invoke(component, {
        kind: 'call',
        function: 'named',
        args: [{ size: 9 }],
      });
      assert.equal(
        thrown?.stack,
        `TypeError: no 9\n    at fail (lib/deep.ts:7:9)\n    at named (${component}.ts:10:10)`,
      );
    });
  });
}

void suite('stack traces elsewhere', () => {
  void test('a program’s are told from the folder that it runs in', async (t) => {
    const directory = folder(FILES);
    t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
    const app = await startApp({ directory });
    t.after(() => app.close());
    await app.fetch('/program/');
    const lines = app
      .logs('program')
      .filter(({ stream }) => stream === 'stderr')
      .map(({ text }) => text);
    assert.deepEqual(lines.slice(0, 2), [
      'Error: from a program',
      '    at Server.<anonymous> (server.js:2:17)',
    ]);
  });

  for (const mode of ['function', 'service']) {
    void test(`a module that throws while it is loaded, as a ${mode}`, async (t) => {
      const directory = folder({
        ...FILES,
        'fulcrum.config.ts': `export default { name: 'traces', components: { a: { entry: './a.ts', routes: ['/a/*'], mode: '${mode}' } } };`,
        'a.ts': `import { fail } from './lib/deep.ts';\ninterface X { a: 1 }\n\nfail({ size: 6 });\nexport default { fetch: () => new Response('') };`,
      });
      t.after(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
      const output = await startApp({ directory }).then(
        async (app) => {
          // A function is loaded by its first request.
          t.after(() => app.close());
          await app.fetch('/a/x');
          return app
            .logs('a')
            .map(({ text, fields }) => `${text}\n${JSON.stringify(fields) ?? ''}`)
            .join('\n')
            .replaceAll(String.raw`\n`, '\n');
        },
        (error: unknown) => {
          assert.ok(error instanceof FulcrumError);
          assert.ok(!error.message.includes(directory));
          return String(error.details['output']);
        },
      );
      assert.match(
        output,
        /TypeError: no 6\n {4}at fail \(lib\/deep\.ts:7:9\)\n {4}at <anonymous> \(a\.ts:4:1\)(?!\n {4}at )/,
      );
      assert.ok(!output.includes(`${directory}/lib`), output);
    });
  }
});
