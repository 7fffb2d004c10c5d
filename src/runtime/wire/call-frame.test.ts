import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  grantPayload,
  readCall,
  readCallAnswer,
  writeCall,
  writeCallAnswer,
  type CallFrame,
} from './call-frame.ts';
import { COMPOSE_MINOR, FLAG_TEXT, FLAG_WHOLE, FRAME } from './frames.ts';
import { MAX_ANSWER_BODY_BYTES, MAX_PAYLOAD_BYTES, WINDOW_BYTES } from './limits.ts';
import type { CallHead } from './messages.ts';
import { connectionOver, handle, socketPair } from './testing/pair.ts';

const HEAD: CallHead = {
  kind: 'call',
  event: null,
  function: 'priceOf',
  request: null,
  encoding: 'clone',
  to: 'catalog',
  parent: 7,
  from: 'checkout',
  component: 'prices',
  path: [
    { component: 'checkout', function: 'place' },
    { component: 'prices', function: null },
  ],
  requestId: 'r_1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  trigger: 'schedule',
  remainingMs: 0.25,
};

interface Came {
  readonly flags: number;
  readonly head: CallHead;
  /** As it came in the frame, or behind it. */
  readonly payload: string;
}

/** Writes the call at one end of a socket. @returns what comes at the other. */
async function carried(
  t: TestContext,
  head: CallHead,
  payload: string,
  minor = COMPOSE_MINOR,
): Promise<Came> {
  const [near, far] = await socketPair(t);
  const { promise, resolve } = Promise.withResolvers<Came>();
  connectionOver(far, 'instance', {
    opened: (stream, _type, flags, frame) => {
      const call: CallFrame = readCall(flags, frame);
      assert.equal(call.answersWhole, (flags & FLAG_TEXT) !== 0);
      const isGranted = grantPayload(stream, call);
      assert.equal(isGranted, call.payload === null && call.answersWhole);
      if (call.payload !== null) resolve({ flags, head: call.head, payload: call.payload.toString() });
      let text = '';
      handle(stream, {
        data: (chunk) => {
          text += chunk.toString();
          if (!isGranted) stream.consumed(chunk.length);
        },
        frame: (type) => {
          if (type === FRAME.BODY_END) resolve({ flags, head: call.head, payload: text });
        },
      });
    },
  });
  const server = connectionOver(near, 'server');
  const stream = server.open();
  handle(stream);
  writeCall(server.writer, stream, head, Buffer.from(payload), minor);
  return await promise;
}

test('a short call is one frame, and arrives as it was', async (t) => {
  const { flags, head, payload } = await carried(t, HEAD, 'arguments');
  assert.equal(flags, FLAG_TEXT | FLAG_WHOLE);
  assert.deepEqual(head, HEAD);
  assert.equal(payload, 'arguments');
});

test('what is not told of a call is null at the other end as well', async (t) => {
  const bare = { ...HEAD, to: null, parent: null, from: null, component: null, path: [] };
  const { flags, head, payload } = await carried(t, bare, '');
  assert.equal(flags, FLAG_TEXT | FLAG_WHOLE);
  assert.deepEqual([head, payload], [bare, '']);
});

test('a long payload follows the head', async (t) => {
  for (const length of [MAX_ANSWER_BODY_BYTES + 1, WINDOW_BYTES, WINDOW_BYTES + 1, MAX_PAYLOAD_BYTES]) {
    const long = 'x'.repeat(length);
    const { flags, head, payload } = await carried(t, HEAD, long);
    assert.equal(flags, FLAG_TEXT);
    assert.equal(head.function, 'priceOf');
    assert.ok(payload === long);
  }
});

test('names of any characters arrive', async (t) => {
  for (const name of ['größe', '価格', 'a\0b', '', ' ', '\u{1F600}']) {
    const { head } = await carried(t, { ...HEAD, function: name }, 'x');
    assert.deepEqual([head.function, head.to], [name, 'catalog']);
    const path = [{ component: 'catalog', function: name }];
    assert.deepEqual((await carried(t, { ...HEAD, path }, 'x')).head.path, path);
  }
});

test('a peer of an older version is told in JSON, as is all that is no call of a function', async (t) => {
  const older = await carried(t, HEAD, 'arguments', COMPOSE_MINOR - 1);
  assert.deepEqual([older.flags, older.head, older.payload], [0, HEAD, 'arguments']);
  const scheduled = await carried(t, { ...HEAD, kind: 'scheduled', function: null, encoding: 'json' }, '{}');
  assert.deepEqual([scheduled.flags, scheduled.head.kind], [0, 'scheduled']);
});

test('a call of another form breaks the protocol', () => {
  const frame = (texts: string, textBytes = Buffer.byteLength(texts), rest = ''): Buffer => {
    const numbers = Buffer.alloc(21);
    numbers.writeUInt32LE(textBytes, 13);
    return Buffer.concat([numbers, Buffer.from(texts), Buffer.from(rest)]);
  };
  const whole = FLAG_TEXT | FLAG_WHOLE;
  for (const [flags, payload] of [
    [FLAG_TEXT, Buffer.alloc(20)],
    [FLAG_TEXT, frame('f\0to\0\0\0r_1\0trace', 500)],
    [FLAG_TEXT, frame('f\0to\0\0\0r_1')],
    [FLAG_TEXT, frame('f\0to\0\0\0r_1\0trace\0more')],
    [FLAG_TEXT, frame('f\0to\0\0\0r_1\0trace', undefined, 'more')],
    [FLAG_TEXT, frame(`f\0to\0\0\0r_1\0trace${'\0a\0b'.repeat(100)}`)],
    [FLAG_TEXT, frame(`f\0to\0\0\0r_1\0trace\0a\0${'b'.repeat(2_000)}`)],
    [FLAG_TEXT, frame(`${'f'.repeat(300 * 1024)}\0to\0\0\0r_1\0trace`)],
    [whole, frame('f\0to\0\0\0r_1\0trace', undefined, 'x'.repeat(MAX_ANSWER_BODY_BYTES + 1))],
  ] as const)
    assert.throws(() => readCall(flags, payload), { code: 'wire-protocol' });
});

test('an answer is the value and its CPU time, and nothing longer than it may be', async (t) => {
  const [near, far] = await socketPair(t);
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const server = connectionOver(near, 'server');
  const stream = server.open();
  handle(stream, {
    frame: (type, _flags, payload) => {
      const { value, cpuMs } = readCallAnswer(payload);
      resolve([type, value.toString(), cpuMs]);
    },
  });
  const instance = connectionOver(far, 'instance', {
    opened: (call) => {
      handle(call);
      writeCallAnswer(instance.writer, call.id, Buffer.from('value'), 1_250);
    },
  });
  writeCall(server.writer, stream, HEAD, Buffer.alloc(0), COMPOSE_MINOR);
  assert.deepEqual(await promise, [FRAME.ANSWER, 'value', 1.25]);
  const tooLong = Buffer.alloc(MAX_ANSWER_BODY_BYTES + 1);
  assert.equal(writeCallAnswer(server.writer, 1, tooLong, 0), false);
  for (const length of [3, 4 + MAX_ANSWER_BODY_BYTES + 1])
    assert.throws(() => readCallAnswer(Buffer.alloc(length)), { code: 'wire-protocol' });
});
