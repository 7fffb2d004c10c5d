import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sleep, systemClock } from '../../base/clock.ts';
import { FulcrumError } from '../../base/errors.ts';
import { Answer, ask, contextOf, fixture, isAlive, MB, testRuntime } from './testing/program.ts';

test('drain ends event streams between two events; what was begun goes on', async (t) => {
  const { start, log } = testRuntime(t);
  const instance = await start(fixture('events.mjs'));
  const stop = new AbortController();
  const running = ['/lf', '/crlf', '/quiet', '/half'].map((target) => {
    const sink = new Answer();
    return { sink, over: ask(instance, target, { sink, signal: stop.signal }) };
  });
  const [lf, crlf, quiet, half] = running as [(typeof running)[0], ...typeof running];
  await Promise.all([
    lf.sink.until(({ text }) => text.includes('data: 3')),
    crlf!.sink.until(({ text }) => text.includes('data: 3')),
    quiet!.sink.until(({ text }) => text.endsWith('\n\n')),
    half!.sink.until(({ text }) => text.endsWith('data: half')),
  ]);
  instance.drain();
  instance.drain();
  process.kill(instance.pid, 'SIGUSR2');
  for (const { sink, over } of [lf, crlf!, quiet!, half!]) {
    const { end_ } = await over;
    assert.deepEqual([end_?.outcome, sink.isEnded], ['ok', true]);
    assert.match(sink.text, /end(\n\n|\r\n\r\n)$|first\n\n$/);
  }
  assert.equal(half!.sink.text, 'data: first\n\ndata: halfend\n\n');
  await log.line(/^stream closed$/);
  // One that was under way to it meanwhile ends at once.
  const late = await ask(instance, '/lf');
  assert.deepEqual([late.status, late.text, late.isEnded, late.end_?.outcome], [200, '', true, 'ok']);
});

test('an event stream that cannot be cut cleanly goes on until the stop', async (t) => {
  const { start } = testRuntime(t);
  const instance = await start(fixture('raw.mjs'));
  const head = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\r\nzip';
  const sink = new Answer();
  const over = ask(instance, '/', {
    sink,
    headers: ['Host', 'h', 'X-Answer', Buffer.from(head).toString('base64'), 'X-Then', 'keep'],
  });
  await sink.until(({ text }) => text === 'zip');
  instance.drain();
  assert.equal(sink.isEnded, false);
  await instance.stop(1_000, 'scaled down');
  const { end_ } = await over;
  // Without a length the end of the connection is the end of the answer.
  assert.equal(end_?.outcome, 'ok');
});

test('stop lets a program finish what it has begun', async (t) => {
  const { start, log } = testRuntime(t);
  // Behind a shell too, which must not die before its program.
  for (const command of [fixture('slow-end.mjs'), `true && ${fixture('slow-end.mjs')}`]) {
    log.entries.length = 0;
    const instance = await start(command);
    const answer = ask(instance, '/');
    await log.line(/^waiting$/);
    await instance.stop(10_000, 'keep-alive passed');
    assert.equal((await answer).text, 'finished');
    const ended = await instance.ended;
    assert.deepEqual([ended.reason, ended.expected, ended.signal], ['keep-alive passed', true, null]);
    assert.deepEqual([instance.state, await instance.measure()], ['ended', null]);
    assert.deepEqual(await instance.healthy(1_000), { healthy: false, reason: 'its process has ended' });
  }
});

test('stop takes the ladder to its end, and grandchildren that ignore SIGTERM go too', async (t) => {
  const { start, log } = testRuntime(t);
  const instance = await start(fixture('grandchild.mjs'));
  const grandchild = Number((await ask(instance, '/')).text);
  assert.equal(isAlive(grandchild), true);
  await instance.stop(50, 'scaled down');
  while (isAlive(grandchild)) await sleep(systemClock, 5);
  const stubborn = await start(fixture('stubborn.mjs'));
  const hanging = ask(stubborn, '/');
  await log.line(/^hanging$/);
  await stubborn.stop(50, 'scaled down');
  assert.equal((await stubborn.ended).signal, 'SIGKILL');
  const { end_ } = await hanging;
  assert.deepEqual([end_?.outcome, end_?.error?.code], ['crashed', 'instance-crashed']);
  assert.match(end_!.error!.message, /was ended \(scaled down\)/);
});

test('kill ends what is in flight with its error, at once', async (t) => {
  const { start, log } = testRuntime(t);
  const instance = await start(fixture('express.mjs'));
  const hanging = ask(instance, '/hang');
  await log.line(/^hanging$/);
  const error = new FulcrumError('timeout', 'It hung.');
  instance.kill(error);
  assert.deepEqual((await hanging).end_, { outcome: 'crashed', error, cpuMs: 0 });
  // Nobody waited for the process.
  assert.equal(instance.state, 'ending');
  assert.equal((await ask(instance, '/hello')).end_?.outcome, 'refused');
  const ended = await instance.ended;
  assert.deepEqual([ended.signal, ended.expected, ended.reason], ['SIGKILL', true, 'It hung.']);
  instance.kill(error);
  await instance.stop(10, 'again');
});

test('a program over its memory is ended, and its requests say why', async (t) => {
  const { start } = testRuntime(t);
  const instance = await start(fixture('memory-hog.mjs'), { memoryBytes: 200 * MB });
  assert.ok((await instance.measure())!.memoryBytes < 200 * MB);
  const { end_ } = await ask(instance, '/');
  assert.deepEqual([end_?.outcome, end_?.error?.code], ['crashed', 'memory-exceeded']);
  assert.match(end_!.error!.message, /may hold 200 MB/);
  assert.equal((await instance.ended).expected, true);
});

test('health by its path: what it answered instead is told', async (t) => {
  const { start } = testRuntime(t);
  const instance = await start(fixture('unhealthy.mjs'), { healthPath: '/up' });
  assert.equal((await ask(instance, '/')).text, '3');
  assert.deepEqual(await instance.healthy(5_000), { healthy: true });
  await ask(instance, '/ill');
  assert.deepEqual(await instance.healthy(5_000), {
    healthy: false,
    reason: 'GET /up: answered 503: no database',
  });
});

test('health without an answer is told within its time', async (t) => {
  const { start } = testRuntime(t);
  const instance = await start(fixture('express.mjs'));
  assert.deepEqual(await instance.healthy(5_000), { healthy: true });
  process.kill(-instance.pid, 'SIGSTOP');
  const hung = await start(fixture('raw.mjs'));
  // The kernel accepts for a program that stands still; only a path tells.
  Object.assign(hung.revision.spec, { healthPath: '/' });
  assert.deepEqual(await hung.healthy(50), { healthy: false, reason: 'GET /: no answer within 50ms' });
  instance.kill(new FulcrumError('internal', 'enough'));
  await instance.ended;
});

test('functions, schedules and events are not for commands', async (t) => {
  const { start } = testRuntime(t);
  const instance = await start(fixture('raw.mjs'));
  const args = { encoding: 'json', bytes: Buffer.from('[]') } as const;
  const result = await instance.invoke({ kind: 'call', function: 'priceOf', args }, contextOf());
  assert.deepEqual(
    [result.outcome, result.error?.code, result.value, result.thrown],
    ['refused', 'handler-missing', null, null],
  );
  assert.match(result.error!.message, /no function "priceOf"/);
});
