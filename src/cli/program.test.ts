import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { World } from './fixtures/run-cli.ts';
import { runProgram } from './program.ts';

const DOCS = join(import.meta.dirname, '..', '..', 'docs');

describe('the command line', () => {
  let world: World;
  before(async () => {
    world = await World.make();
  });
  after(() => world.end());

  const TYPOS: [string, RegExp][] = [
    ['pss', /^Unknown command 'pss'\. Did you mean ps\? `fulcrum --help` shows what there is\.$/],
    ['invok catalog', /Did you mean invoke\?/],
    ['lgos', /Did you mean logs\?/],
    ['modde catalog service', /Did you mean mode\?/],
    ['doctr', /Did you mean doctor\?/],
    ['frobnicate', /Unknown command 'frobnicate'\. `fulcrum --help` shows/],
    ['ps --jsn', /Unknown option '--jsn'\. Did you mean --json\? `fulcrum ps --help` shows/],
    ['logs --folow', /Did you mean --follow\?/],
    ['dev --prot 80', /Did you mean --port\?/],
    ['--verison', /Did you mean --version\?/],
    ['mode catalog', /To which mode\? Such as `fulcrum mode catalog service`/],
    ['mode a service c', /Too many arguments for 'mode'\. Expected 2 arguments but got 3/],
    ['invoke a f --args', /Option '--args <JSON>' argument missing/],
    ['dev --port http', /A port is a number from 0 to 65535/],
    ['dev --port 70000', /A port is a number from 0 to 65535/],
    ['tokens lst', /Unknown command 'lst'\. Did you mean ls\? `fulcrum tokens --help` shows/],
    [
      'tokens create --name ci',
      /Required option '--scope <SCOPE>' not specified\. `fulcrum tokens create --help`/,
    ],
    ['secrets set', /Missing required argument 'NAME'\. `fulcrum secrets set --help`/],
    ['secrets ls --jsno', /Did you mean --json\?/],
    ['audit -n 0', /a number from 1 to 1000/],
    ['logs -n many', /a number from 0 to 10000/],
  ];
  for (const [line, message] of TYPOS) {
    test(`fulcrum ${line} is a usage error that helps`, async () => {
      await assert.rejects(runProgram(line.split(' ')), { code: 'usage', message });
    });
  }

  test('a usage error is told on stderr, with its exit code', async () => {
    const ran = await world.run(['pss']);
    assert.equal(ran.code, 2);
    assert.match(ran.stderr, /^error usage: Unknown command 'pss'\. Did you mean ps\?.*\n$/);
    assert.equal(ran.stdout, '');
  });

  test('help is on stdout, fits 80 columns, and tells the exit codes', async () => {
    const commandsIn = (help: string): string[] =>
      [...help.matchAll(/^ {2}([a-z]+)(?: |$)/gm)].map(([, name]) => name!).filter((name) => name !== 'help');
    const helpOf = async (...command: string[]): Promise<string> => {
      const ran = await world.run([...command, '--help']);
      assert.equal(ran.code, 0, command.join(' '));
      assert.equal(ran.stderr, '');
      for (const text of ran.stdout.split('\n')) assert.ok(text.length <= 80, text);
      return ran.stdout;
    };
    const top = await helpOf();
    assert.equal((await world.run([])).stdout, top);
    assert.match(top, /130 {2}interrupted/);
    const names = commandsIn(/^Commands:\n(.*?)\n\n/ms.exec(top)![1]!);
    assert.ok(names.length >= 20, names.join(' '));
    const guide = await readFile(join(DOCS, 'guide.md'), 'utf8');
    for (const name of names) {
      assert.match(guide, new RegExp(`^\\| \`fulcrum ${name}\\b`, 'm'), 'the guide lists every command');
      const help = await helpOf(name);
      const below = /^Commands:\n(.*?)(?:\n\n|$(?![^]))/ms.exec(help)?.[1] ?? '';
      if (below === '' && name !== 'restart') assert.match(help, /Examples:\n {2}fulcrum /, name);
      for (const inner of commandsIn(below)) await helpOf(name, inner);
    }
  });

  test('the guide links all of its pages', async () => {
    const guide = await readFile(join(DOCS, 'guide.md'), 'utf8');
    for (const page of await readdir(join(DOCS, 'guide')))
      assert.ok(guide.includes(`](guide/${page})`), page);
  });

  test('--version says the version and nothing else', async () => {
    const ran = await world.run(['--version']);
    assert.match(ran.stdout, /^\d+\.\d+\.\d+\n$/);
    assert.equal(ran.code, 0);
  });
});
