import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { FakePort } from '../../control/fixtures/fake-port.ts';
import { usageLines } from '../../control/fixtures/usage-lines.ts';
import type { UsageLine } from '../../model/usage-export.ts';
import { World } from '../fixtures/run-cli.ts';

const SPAN = { fromMs: Date.UTC(2026, 0, 1), toMs: Date.UTC(2026, 0, 2), component: null, facts: true };
const STRETCH = ['--since', '2026-01-01', '--until', '2026-01-02'];

function linesOf(text: string): UsageLine[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as UsageLine);
}

describe('fulcrum usage', () => {
  let world: World;
  let port: FakePort;

  before(async () => {
    world = await World.make();
    ({ port } = await world.serve('shop'));
  });
  after(() => world.end());
  beforeEach(() => {
    port.asked.length = 0;
    port.usageLines = null;
  });

  test('writes every line of the stretch, facts included', async () => {
    const ran = await world.run(['usage', ...STRETCH]);
    assert.equal(ran.code, 0, ran.stderr);
    assert.deepEqual(linesOf(ran.stdout), usageLines(SPAN));
    await world.run(['usage', ...STRETCH, '--component', 'catalog']);
    assert.deepEqual(port.asked, [{ usage: SPAN }, { usage: { ...SPAN, component: 'catalog' } }]);
  });

  test('makes its file whole, and says so', async () => {
    const file = join(world.folder, 'whole.jsonl');
    await writeFile(file, 'older');
    const ran = await world.run(['usage', ...STRETCH, '--out', file]);
    assert.equal(ran.code, 0, ran.stderr);
    assert.equal(ran.stdout, '');
    assert.equal(ran.stderr, `${file}: ${usageLines(SPAN).length} lines\n`);
    assert.deepEqual(linesOf(await readFile(file, 'utf8')), usageLines(SPAN));
  });

  test('leaves the file as it was where the usage is cut short', async () => {
    port.usageLines = usageLines(SPAN).slice(0, -1);
    const file = join(world.folder, 'kept.jsonl');
    await writeFile(file, 'older');
    const ran = await world.run(['usage', ...STRETCH, '--out', file]);
    assert.notEqual(ran.code, 0);
    assert.match(ran.stderr, /cut short after \d+ lines/);
    assert.equal(await readFile(file, 'utf8'), 'older');
    assert.ok((await readdir(world.folder)).every((name) => !name.endsWith('.partial')));
  });

  test('leaves nothing half written to whoever interrupts it', async () => {
    const asked = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const { usage } = port;
    port.usage = async function* (span) {
      asked.resolve();
      yield usageLines(span)[0]!;
      await held.promise;
    };
    const folder = join(world.folder, 'interrupted');
    await mkdir(folder);
    const changes = watch(folder)[Symbol.asyncIterator]();
    const running = world.start(['usage', ...STRETCH, '--out', join(folder, 'x.jsonl')]);
    await Promise.all([asked.promise, changes.next()]);
    await changes.return?.();
    running.child.kill('SIGINT');
    const ran = await running.ended();
    held.resolve();
    port.usage = usage;
    assert.equal(ran.code, 130, ran.stderr);
    assert.deepEqual(await readdir(folder), []);
  });

  test('says what is wrong with what it was asked', async () => {
    for (const [args, what] of [
      [['--since', 'yesterday'], /a duration such as 30d/],
      [['--since', '2026-02-01', '--until', '2026-01-01'], /is not before/],
      [[...STRETCH, '--out', join(world.folder, 'no', 'such', 'folder')], /cannot be written/],
    ] as const) {
      const ran = await world.run(['usage', ...args]);
      assert.equal(ran.code, 2, args.join(' '));
      assert.match(ran.stderr, what);
    }
  });
});
