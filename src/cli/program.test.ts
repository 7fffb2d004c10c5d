import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { World } from './fixtures/run-cli.ts';
import { runProgram } from './program.ts';

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
    ['mode catalog', /Missing required argument 'MODE'\. `fulcrum mode --help`/],
    ['mode a service c', /Too many arguments for 'mode'\. Expected 2 arguments but got 3/],
    ['invoke a f --args', /Option '--args <JSON>' argument missing/],
    ['dev --port http', /A port is a number from 0 to 65535/],
    ['dev --port 70000', /A port is a number from 0 to 65535/],
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
    const commands = ['dev', 'ps', 'mode', 'invoke', 'logs', 'doctor', 'init'];
    const helps = [[], ['--help'], ...commands.map((command) => [command, '--help'])];
    for (const args of helps) {
      const ran = await world.run(args);
      assert.equal(ran.code, 0, args.join(' '));
      assert.equal(ran.stderr, '');
      assert.match(ran.stdout, args.length < 2 ? /130 {2}interrupted/ : /Examples:\n {2}fulcrum /);
      for (const text of ran.stdout.split('\n')) assert.ok(text.length <= 80, text);
    }
  });

  test('--version says the version and nothing else', async () => {
    const ran = await world.run(['--version']);
    assert.match(ran.stdout, /^\d+\.\d+\.\d+\n$/);
    assert.equal(ran.code, 0);
  });
});
