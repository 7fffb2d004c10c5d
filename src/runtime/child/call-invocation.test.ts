import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { writeCall } from '../wire/call-frame.ts';
import { COMPOSE_MINOR, FRAME } from '../wire/frames.ts';
import { MAX_ANSWER_BODY_BYTES } from '../wire/limits.ts';
import type { CallHead, Init } from '../wire/messages.ts';
import { connectionOver, handle, socketPair } from '../wire/testing/pair.ts';
import { ChildInstance } from './instance.ts';
import { Members } from './members.ts';
import { NO_HANDLERS } from './module-handlers.ts';
import { encodeValue } from './values.ts';

const HEAD: Partial<CallHead> = {
  kind: 'call',
  function: 'repeat',
  encoding: 'clone',
  requestId: 'r_1',
  remainingMs: 60_000,
};

/** Calls `repeat` of an instance. @returns the types of the frames that it answers with, in their order. */
async function answered(t: TestContext, minor: number, times: number): Promise<number[]> {
  const [near, far] = await socketPair(t);
  const { promise, resolve } = Promise.withResolvers<number[]>();
  const server = connectionOver(near, 'server');
  const init = { minor, component: 'shop', bundlePath: '/shop.mjs', env: {} } as unknown as Init;
  const members = new Members(init);
  const functions = new Map([['repeat', (count: unknown) => 'x'.repeat(count as number)]]);
  members.all[0]!.handlers = { ...NO_HANDLERS, functions };
  const child = new ChildInstance(connectionOver(far, 'instance'), init, members);
  assert.ok(child);
  const stream = server.open();
  const came: number[] = [];
  handle(stream, {
    data: (chunk) => {
      if (came.at(-1) !== FRAME.DATA) came.push(FRAME.DATA);
      stream.consumed(chunk.length);
    },
    frame: (type) => {
      came.push(type);
      server.forget(stream);
      resolve(came);
    },
  });
  writeCall(server.writer, stream, HEAD, encodeValue([times], 'clone', 'arguments'), minor);
  return await promise;
}

test('a short value and the end of the call are one frame, to a server that knows it', async (t) => {
  assert.deepEqual(await answered(t, COMPOSE_MINOR, 10), [FRAME.ANSWER]);
});

test('a long value comes before the end, and any does to an older server', async (t) => {
  assert.deepEqual(await answered(t, COMPOSE_MINOR, MAX_ANSWER_BODY_BYTES + 1), [FRAME.DATA, FRAME.DONE]);
  assert.deepEqual(await answered(t, COMPOSE_MINOR - 1, 10), [FRAME.DATA, FRAME.DONE]);
});
