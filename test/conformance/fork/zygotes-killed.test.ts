import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { FulcrumError } from '../../../src/base/errors.ts';
import { ask } from '../runtime/bench.ts';
import { openForks, told } from './scene.ts';

const KILLS = process.env['FULCRUM_FULL'] ? 100 : 10;
const LANES = 4;

test('zygotes killed under load: every request is answered or fails clearly, and the next is served', async (t) => {
  const bench = await openForks(t);
  const { revision } = await bench.start('fork');
  let killed = 0;
  const ends = { ok: 0, crashed: 0, refused: 0 };
  const lane = async (): Promise<void> => {
    while (killed < KILLS) {
      try {
        const instance = await bench.start('fork', { revision });
        const { outcome, error } = await ask(instance, '/').outcome;
        if (outcome === 'ok') ends.ok++;
        else {
          assert.deepEqual([outcome, error!.code], ['crashed', 'instance-crashed']);
          ends.crashed++;
        }
        await instance.stop(10_000, 'told by the test');
      } catch (error) {
        assert.ok(error instanceof FulcrumError && error.code === 'start-failed', String(error));
        ends.refused++;
      }
    }
  };
  const killer = async (): Promise<void> => {
    while (killed < KILLS) {
      try {
        const instance = await bench.start('fork', { revision });
        const { ppid } = await told<{ ppid: number }>(instance, 'identity');
        process.kill(ppid, 'SIGKILL');
        await instance.ended;
      } catch {
        // It fell with the zygote that another kill had struck.
      }
      killed++;
    }
  };
  await Promise.all([killer(), ...Array.from({ length: LANES }, lane)]);
  assert.ok(ends.ok > 0, JSON.stringify(ends));
  const last = await bench.start('fork', { revision });
  assert.equal((await ask(last, '/').outcome).outcome, 'ok');
});

test('a zygote killed while it loads its module is replaced, and the start that waits goes on', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fulcrum-killed-'));
  t.after(() => rm(folder, { recursive: true }));
  const bench = await openForks(t);
  const go = join(folder, 'go');
  const starting = bench.start('fork-waits', {}, { GO: go });
  const { text } = await bench.log.until(/^loading in/);
  await writeFile(go, '');
  process.kill(Number(text.split(' ').at(-1)), 'SIGKILL');
  const answer = ask(await starting, '/');
  await answer.outcome;
  assert.equal(answer.text, 'loaded');
});

test('a root zygote that is killed is replaced at once', async (t) => {
  const bench = await openForks(t);
  const one = await bench.start('fork');
  const { ppid } = await told<{ ppid: number }>(one, 'identity');
  const root = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${ppid}/status`, 'latin1'))![1]);
  process.kill(root, 'SIGKILL');
  // What is forked by a zygote that is about to end, because the root zygote has, ends with it: the next start has another.
  await one.ended;
  const next = await bench.start('fork', { revision: one.revision });
  assert.equal((await ask(next, '/').outcome).outcome, 'ok');
  assert.notEqual((await told<{ ppid: number }>(next, 'identity')).ppid, ppid);
});
