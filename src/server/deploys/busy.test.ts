import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../base/fake-clock.ts';
import { Busy } from './busy.ts';

test('one change of an app at a time: the second is told who is at it; other apps are free', async () => {
  const busy = new Busy(new FakeClock());
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = busy.run('shop', 'deploys', 'ann', () => promise);
  await assert.rejects(
    busy.run('shop', 'rolls back', 'bob', () => Promise.resolve()),
    (error: Error & { code: string }) =>
      error.code === 'conflict' && /^ann deploys shop since \d{4}-/.test(error.message),
  );
  assert.equal(await busy.run('blog', 'deploys', 'bob', () => Promise.resolve(7)), 7);
  assert.equal(busy.describe(), 'ann deploys shop');
  resolve();
  await first;
  assert.equal(busy.describe(), null);
  assert.equal(await busy.run('shop', 'rolls back', 'bob', () => Promise.resolve(8)), 8);
});

test('what fails leaves the app free', async () => {
  const busy = new Busy(new FakeClock());
  await assert.rejects(
    busy.run('shop', 'deploys', 'ann', () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(busy.has('shop'), false);
});

test('held and closed, nothing is taken; held can be undone', async () => {
  const busy = new Busy(new FakeClock());
  const run = (): Promise<void> => busy.run('shop', 'deploys', 'ann', () => Promise.resolve());
  busy.hold('The server is being restarted.');
  await assert.rejects(run(), { code: 'conflict', message: 'The server is being restarted.' });
  assert.equal(await busy.runThoughHeld('shop', 'takes back', 'the server', () => Promise.resolve(1)), 1);
  busy.hold(null);
  await run();
  busy.close();
  await assert.rejects(run(), { code: 'shutting-down' });
});

test('what the server does of its own accord is waited for, and not refused; only one of those who waited goes on', async () => {
  const busy = new Busy(new FakeClock());
  const { promise, resolve } = Promise.withResolvers<number>();
  const own = busy.runOwn('shop', 'starts', () => promise);
  const done: string[] = [];
  const held = Promise.withResolvers<void>();
  const first = busy.run('shop', 'deploys', 'ann', async () => {
    done.push('ann');
    await held.promise;
  });
  const second = busy.run('shop', 'rolls back', 'bob', () => Promise.resolve());
  const refused = assert.rejects(second, /ann deploys shop since/);
  assert.deepEqual(done, []);
  resolve(1);
  assert.equal(await own, 1);
  await refused;
  held.resolve();
  await first;
  assert.deepEqual(done, ['ann']);
  await assert.rejects(
    busy.runOwn('shop', 'starts', () => Promise.reject(new Error('no'))),
    /no/,
  );
  assert.equal(await busy.run('shop', 'deploys', 'ann', () => Promise.resolve(2)), 2);
});
