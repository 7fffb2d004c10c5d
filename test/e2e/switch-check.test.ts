import assert from 'node:assert/strict';
import { test } from 'node:test';
import { appFolder, config } from './support/app-folder.ts';
import { DevProcess, fulcrum, isolatedEnv } from './support/fulcrum-process.ts';

const LEAKY = `import type { ComponentModule } from 'fulcrum';

interface User { name: string }
let user: User = { name: '' };

export default {
  async fetch(request) {
    user = { name: new URL(request.url).searchParams.get('name') ?? '' };
    await new Promise((resolve) => setTimeout(resolve, 20));
    return new Response(user.name);
  },
} satisfies ComponentModule;
`;

const SESSIONS = `import type { ComponentModule } from 'fulcrum';

const sessions = new Map<string, string>();

export default {
  async fetch(request) {
    const id = request.headers.get('x-id') ?? '';
    if (request.method === 'POST') {
      const text = await request.text();
      sessions.set(id, text);
      return new Response('kept');
    }
    return new Response(sessions.get(id) ?? 'nobody');
  },
} satisfies ComponentModule;
`;

const PURE = `export default { fetch: (request: Request) => new Response(request.url) };`;

interface Check {
  readonly findings: readonly {
    readonly file: string;
    readonly line: number;
    readonly rule: string;
    readonly lineText: string;
  }[];
}

test('a switch that would break the code is refused with file and line, and made with --force', async (t) => {
  const env = isolatedEnv();
  const app = await appFolder(t, {
    'fulcrum.config.ts': config(`{
      leaky: { entry: './src/leaky.ts', routes: ['/leaky'] },
      sessions: { entry: './src/sessions.ts', routes: ['/sessions'], mode: 'service' },
      pure: { entry: './src/pure.ts', routes: ['/pure'] },
      either: { entry: './src/leaky.ts', routes: ['/either'], mode: 'auto' },
    }`),
    'src/leaky.ts': LEAKY,
    'src/sessions.ts': SESSIONS,
    'src/pure.ts': PURE,
  });
  const dev = await DevProcess.start(t, env, app.path);
  const run = (...args: string[]): ReturnType<typeof fulcrum> =>
    fulcrum(env, ['mode', ...args, '--app', app.path]);

  const refused = await run('leaky', 'service');
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /^error switch-unsafe: As a service, 'leaky' would break in one place at src\/leaky\.ts:8: /,
  );
  assert.match(refused.stderr, /^warning src\/leaky\.ts:8:5 shared-variable$/m);
  assert.match(
    refused.stderr,
    /^ {2}8 \| user = \{ name: new URL\(request\.url\)\.searchParams\.get\('name'\) \?\? '' \};$/m,
  );
  assert.match(refused.stderr, /--force/);

  const check = await run('sessions', 'function', '--check', '--json');
  assert.equal(check.code, 1);
  const { findings } = JSON.parse(check.stdout) as Check;
  assert.deepEqual(
    findings.map(({ file, line, rule, lineText }) => [file, line, rule, lineText]),
    [['src/sessions.ts', 10, 'memory-state', 'sessions.set(id, text);']],
  );

  // Nothing was switched: each request still has its instance to itself.
  const modes = JSON.parse((await fulcrum(env, ['ps', '--json', '--app', app.path])).stdout) as {
    components: { name: string; mode: string }[];
  };
  assert.deepEqual(
    modes.components.map(({ name, mode }) => `${name} ${mode}`),
    ['leaky function', 'sessions service', 'pure function', 'either function'],
  );
  const names = ['a', 'b', 'c', 'd'];
  const ask = (): Promise<string[]> =>
    Promise.all(names.map(async (name) => (await fetch(`${dev.url}/leaky?name=${name}`)).text()));
  assert.deepEqual(await ask(), names);

  assert.equal((await run('pure', 'service')).code, 0);
  // What it is already is not checked.
  assert.equal((await run('leaky', 'function')).code, 0);

  const forced = await run('leaky', 'service', '--force');
  assert.equal(forced.code, 0, forced.stderr);
  assert.match(forced.stdout, /leaky: function → service/);
  // The warning was right.
  assert.notDeepEqual(await ask(), names);

  // A component whose mode may change at any time is looked at when it is deployed, and told once.
  const told = await fulcrum(env, ['logs', 'either', '--json', '--level', 'warn', '--app', app.path]);
  const lines = (JSON.parse(told.stdout) as { text: string }[]).map(({ text }) => text);
  assert.equal(lines.length, 1, told.stdout);
  assert.match(lines[0]!, /^As a service \(its mode is auto\) this would break: src\/leaky\.ts:8: /);
});
