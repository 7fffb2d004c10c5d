import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { DataLock } from './data-lock.ts';

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'fulcrum-lock-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test('who has it is told by pid, and given back it is free', async (t) => {
  const path = folder(t);
  const lock = await DataLock.take(path);
  await assert.rejects(DataLock.take(path), {
    code: 'conflict',
    message: new RegExp(`^Another Fulcrum server \\(pid ${process.pid}\\)`),
  });
  await lock.release();
  assert.deepEqual(readdirSync(path), []);
  await (await DataLock.take(path)).release();
});

test('of a process that is gone, or another that has its pid now, it is worth nothing', async (t) => {
  const path = folder(t);
  for (const left of [{ pid: 2 ** 22 + 1, startedAt: '5' }, { pid: process.pid, startedAt: '1' }, 'torn']) {
    writeFileSync(join(path, 'server.lock'), typeof left === 'string' ? left : JSON.stringify(left));
    const lock = await DataLock.take(path);
    assert.equal(
      (JSON.parse(readFileSync(join(path, 'server.lock'), 'utf8')) as { pid: number }).pid,
      process.pid,
    );
    await lock.release();
  }
});

test('of many that find it stale at once one has it', async (t) => {
  const path = folder(t);
  writeFileSync(join(path, 'server.lock'), JSON.stringify({ pid: 2 ** 22 + 1, startedAt: '5' }));
  const tries = await Promise.allSettled(Array.from({ length: 8 }, () => DataLock.take(path)));
  assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1);
  assert.deepEqual(readdirSync(path), ['server.lock']);
});

test('one that took it over and ended has it taken back, whatever it left', async (t) => {
  const path = folder(t);
  const file = join(path, 'server.lock');
  const lock = await DataLock.take(path);
  const own = readFileSync(file, 'utf8');
  await lock.takeBack(2 ** 22 + 1);
  writeFileSync(file, JSON.stringify({ pid: 2 ** 22 + 1, startedAt: '5' }));
  await lock.takeBack(2 ** 22 + 1);
  assert.equal(readFileSync(file, 'utf8'), own);
  writeFileSync(file, JSON.stringify({ pid: process.ppid, startedAt: null }));
  await assert.rejects(lock.takeBack(2 ** 22 + 1), { code: 'conflict' });
  rmSync(file);
  await lock.takeBack(2 ** 22 + 1);
  assert.equal(readFileSync(file, 'utf8'), own);
});

test('a successor takes it from the one that it follows, who then gives back nothing', async (t) => {
  const path = folder(t);
  const lock = await DataLock.take(path);
  await assert.rejects(DataLock.takeOver(path, process.pid + 1), { code: 'conflict' });
  const next = await DataLock.takeOver(path, process.pid);
  writeFileSync(join(path, 'server.lock'), JSON.stringify({ pid: 1, startedAt: null }));
  await lock.release();
  await next.release();
  assert.deepEqual(readdirSync(path), ['server.lock']);
});
