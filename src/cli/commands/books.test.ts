import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { World, type Ran } from '../fixtures/run-cli.ts';

describe('fulcrum books', () => {
  let world: World;

  before(async () => {
    world = await World.make();
  });
  after(() => world.end());

  const run = async (...args: string[]): Promise<Ran> => {
    const ran = await world.run(['books', ...args]);
    for (const line of ran.stdout.split('\n'))
      assert.ok(args.includes('--json') || Array.from(line).length <= 80, `too wide: ${line}`);
    return ran;
  };

  test('ls lists them with what each sells', async () => {
    const { stdout, code } = await run('ls');
    assert.equal(code, 0);
    assert.match(stdout, /^BOOK +SELLS +AS OF +UNVERIFIED/);
    assert.match(stdout, /^aws-lambda-x86 +function +\d{4}-\d\d-\d\d +\d$/m);
    assert.match(stdout, /^own-machine +function, service /m);
  });

  test('ls --json is a list that scripts can read', async () => {
    const list = JSON.parse((await run('ls', '--json')).stdout) as { id: string; sells: string[] }[];
    const lambda = list.find((book) => book.id === 'aws-lambda-arm');
    assert.deepEqual(lambda?.sells, ['function']);
  });

  test('show tells prices without exponents, tiers, and what is unverified, in 80 columns', async () => {
    const lambda = (await run('show', 'aws-lambda-x86')).stdout;
    assert.match(lambda, /^ {2}memory {9}0\.0000166667 per GB-s up to 6,000,000,000 a month$/m);
    assert.match(lambda, /^ {17}1 per million requests up to 300,000,000 a month$/m);
    assert.match(lambda, /^ {2}vCPU per GB {4}0\.578858 \(unverified\)$/m);
    const list = JSON.parse((await run('ls', '--json')).stdout) as { id: string }[];
    for (const { id } of list) assert.equal((await run('show', id)).code, 0, id);
  });

  test('what show --json prints is a book that check takes', async () => {
    const shown = await run('show', 'own-machine', '--json');
    const file = join(world.folder, 'mine.json');
    await writeFile(file, shown.stdout.replace('"id": "own-machine"', '"id": "mine"'));
    const checked = await run('check', file);
    assert.equal(checked.code, 0, checked.stderr);
    assert.match(
      checked.stdout.replaceAll(/\s+/g, ' '),
      /is a price book: A machine of your own \(mine\), sells function, service\./,
    );
    assert.match((await run('show', file)).stdout, /^A machine of your own \(mine\)$/m);
  });

  test('check says where the mistake is, what was found and what would be right, and fails', async () => {
    const file = join(world.folder, 'wrong.json');
    const shown = await run('show', 'own-machine', '--json');
    await writeFile(file, shown.stdout.replace('"vcpu": 4', '"vcpu": 0'));
    const { stdout, stderr, code } = await run('check', file);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /book-invalid: .*wrong\.json has one problem:/);
    assert.match(
      stderr,
      /machine\.vcpu \(line \d+\): not one of the values there are\n +found +0\n +expected +a number above 0/,
    );
  });

  test('a book that is not there is named with the nearest one', async () => {
    const { stderr, code } = await run('show', 'aws-fargate-x68');
    assert.equal(code, 2);
    assert.match(stderr, /There is no price book "aws-fargate-x68"\. Did you mean aws-fargate-x86\?/);
  });
});
