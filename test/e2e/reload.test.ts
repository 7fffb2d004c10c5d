import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { appFolder, config } from './support/app-folder.ts';
import { DevProcess, isolatedEnv } from './support/fulcrum-process.ts';
import { steadyLoad } from './support/steady-load.ts';

const says = (word: string): string =>
  `export default { fetch: () => new Response(${JSON.stringify(word)}) };\n`;
const CONFIG = config(`{
  page: { entry: './page.ts', routes: ['/page'] },
  always: { entry: './always.ts', routes: ['/always'], mode: 'service' },
  program: { command: 'node server.js', cwd: './program', storage: ['./program/logs'], routes: ['/program'], mode: 'service' },
}`);
const FILES = {
  'fulcrum.config.ts': CONFIG,
  'page.ts':
    "import { word } from './word.ts';\nexport default { fetch: () => new Response(word + process.env.MORE) };\n",
  'word.ts': "export const word: string = 'one';\n",
  'always.ts': says('one'),
  'program/server.js':
    // It writes below its own folder, as programs do; that must not look like a save.
    "require('node:fs').appendFileSync('logs/started.js', 'x');\n" +
    "require('node:http').createServer((q, a) => a.end('one')).listen(process.env.PORT);\n",
  'program/package.json': '{ "type": "commonjs" }',
  '.env': 'MORE=!\n',
};

async function text(url: string): Promise<string> {
  return (await fetch(url)).text();
}

test('a save is live, and what was broken keeps the last good version', async (t) => {
  const app = await appFolder(t, {
    ...FILES,
    'fulcrum.config.ts': CONFIG.replace('components:', "env: { MORE: secret('MORE') }, components:"),
  });
  const dev = await DevProcess.start(t, isolatedEnv(), app.path);
  const get = (path: string): Promise<string> => text(dev.url + path);
  const saved = async (file: string, content: string, printed: RegExp): Promise<string> => {
    const from = dev.output.length;
    await app.write(file, content);
    await dev.prints(printed, from);
    return dev.output.slice(from);
  };
  assert.deepEqual([await get('/page'), await get('/always'), await get('/program')], ['one!', 'one', 'one']);

  await t.test('a function, by a file that its entry imports', async () => {
    const output = await saved('word.ts', "export const word: string = 'two';\n", /reloaded page in \d+ ms/);
    assert.equal(await get('/page'), 'two!');
    assert.doesNotMatch(output, /reloaded.*always/);
  });
  await t.test('a service', async () => {
    await saved('always.ts', says('two'), /reloaded always in \d+ ms/);
    assert.equal(await get('/always'), 'two');
  });
  await t.test('a command, by a file in its folder', async () => {
    await saved(
      'program/server.js',
      FILES['program/server.js'].replace('one', 'two'),
      /reloaded program in \d+ ms/,
    );
    assert.equal(await get('/program'), 'two');
    assert.equal(
      await readFile(join(app.path, 'program/logs/started.js'), 'utf8'),
      'xx',
      'one start, and one for the save',
    );
  });
  await t.test('a secret', async () => {
    await saved('.env', 'MORE=?\n', /reloaded/);
    assert.equal(await get('/page'), 'two?');
  });
  await t.test('the config: a component more', async () => {
    await app.write('extra.ts', says('extra'));
    const more = CONFIG.replace('components:', "env: { MORE: secret('MORE') }, components:").replace(
      'page: {',
      "extra: { entry: './extra.ts', routes: ['/extra'] }, page: {",
    );
    await saved('fulcrum.config.ts', more, /reloaded.*extra/);
    assert.equal(await get('/extra'), 'extra');
  });
  await t.test('a syntax error shows its place and changes nothing; the mend is live', async () => {
    await saved(
      'word.ts',
      "export const word: string = 'three\n",
      /word\.ts:1:[^]*export const word: string = 'three/,
    );
    assert.equal(await get('/page'), 'two?');
    await saved('word.ts', "export const word: string = 'three';\n", /reloaded page/);
    assert.equal(await get('/page'), 'three?');
  });
  await t.test('a function that throws while it is loaded changes nothing', async () => {
    const broken = 'export const word: string = (undefined as unknown as string).trim();\n';
    // With the place in the author's own file, which is printed behind the message.
    await saved('word.ts', broken, /not live: start-failed[^]*word\.ts:1/);
    assert.equal(await get('/page'), 'three?');
    await saved('word.ts', "export const word: string = 'four';\n", /reloaded page/);
    assert.equal(await get('/page'), 'four?');
  });
  await t.test('a service that throws while it starts changes nothing', async () => {
    await saved('always.ts', "throw new Error('not today');\n", /not today/);
    assert.equal(await get('/always'), 'two');
    await saved('always.ts', says('three'), /reloaded always/);
    assert.equal(await get('/always'), 'three');
  });
  await t.test('a broken config changes nothing', async () => {
    const output = await saved(
      'fulcrum.config.ts',
      CONFIG.replace("mode: 'service'", "mode: 'servise'"),
      /servise/,
    );
    assert.match(output, /components\.always\.mode/);
    assert.equal(await get('/always'), 'three');
  });
});

test('saves under load lose no request', async (t) => {
  const app = await appFolder(t, {
    'fulcrum.config.ts': config(`{
      a: { entry: './a.ts', routes: ['/a'] },
      b: { entry: './b.ts', routes: ['/b'], mode: 'service' },
    }`),
    'a.ts': says('a0'),
    'b.ts': says('b0'),
  });
  const dev = await DevProcess.start(t, isolatedEnv(), app.path);
  const loads = ['/a', '/b'].map((path) => steadyLoad(dev.url + path, { rps: 50, maxMs: 60_000 }));
  for (let i = 1; i <= 5; i++) {
    for (const name of ['a', 'b']) {
      const from = dev.output.length;
      await app.write(`${name}.ts`, says(`${name}${i}`));
      await dev.prints(new RegExp(`reloaded ${name}`), from);
    }
  }
  for (const load of loads) assert.deepEqual((await load.stop()).failures, []);
  assert.deepEqual([await text(`${dev.url}/a`), await text(`${dev.url}/b`)], ['a5', 'b5']);
});
