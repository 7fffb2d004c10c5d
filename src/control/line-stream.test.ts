import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { FulcrumError } from '../base/errors.ts';
import { release } from './fixtures/fake-host.ts';
import type { DeployStep } from './host-port.ts';
import { stepLines } from './line-stream.ts';
import { HEARTBEAT_MS } from './log-stream.ts';
import type { StepLine } from './schemas.ts';

const STEP: DeployStep = { name: 'check', state: 'begun', component: null, message: '', tookMs: null };

async function next(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<StepLine | null> {
  const { value, done } = await reader.read();
  return done ? null : (JSON.parse(Buffer.from(value).toString()) as StepLine);
}

test('steps come as they happen, a heartbeat while nothing does, and the result last', async () => {
  const clock = new FakeClock();
  const work = Promise.withResolvers<void>();
  const { body, done } = stepLines(clock, async (onStep) => {
    onStep(STEP);
    await work.promise;
    return release();
  });
  const reader = body.getReader();
  assert.deepEqual(await next(reader), { kind: 'heartbeat' });
  assert.deepEqual(await next(reader), { kind: 'step', step: STEP });
  const beat = next(reader);
  await clock.advance(HEARTBEAT_MS);
  assert.deepEqual(await beat, { kind: 'heartbeat' });
  work.resolve();
  const last = await next(reader);
  assert.equal(last?.kind, 'result');
  assert.ok(!JSON.stringify(last).includes('manifest'));
  assert.equal(await next(reader), null);
  assert.equal(((await done) as { number: number }).number, 1);
  assert.equal(clock.pending, 0);
});

test('an error is the last line, and what `done` rejects with', async () => {
  const error = new FulcrumError('deploy-failed', 'It did not start.', { details: { component: 'catalog' } });
  const { body, done } = stepLines(new FakeClock(), () => Promise.reject(error));
  const failed = assert.rejects(done, error);
  const reader = body.getReader();
  await next(reader);
  const last = (await next(reader)) as { error: Record<string, unknown> };
  assert.equal(last.error['code'], 'deploy-failed');
  assert.equal(last.error['component'], 'catalog');
  assert.equal(await next(reader), null);
  await failed;
});

test('a reader that goes does not end the work, nor does it fail because of that', async () => {
  const clock = new FakeClock();
  const work = Promise.withResolvers<void>();
  const { body, done } = stepLines(clock, async (onStep) => {
    await work.promise;
    onStep(STEP);
    return release();
  });
  await body.cancel();
  await clock.advance(HEARTBEAT_MS);
  work.resolve();
  assert.equal(((await done) as { number: number }).number, 1);
  assert.equal(clock.pending, 0);
});
