import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NoBytes, PassedBody, WrongLength } from './passed-body.ts';

interface Made {
  readonly body: PassedBody;
  readonly events: unknown[];
}

function passed(source: ReadableStream<unknown>, lengthBytes: number | null = null): Made {
  const events: unknown[] = [];
  const body = new PassedBody(source, {
    run: (code) => code(),
    lengthBytes,
    failure: (error) => error,
    onEnd: (isCancelled) => void events.push(isCancelled ? 'cancelled' : 'ended'),
  });
  return { body, events };
}

/** Yields these, and notes why it is cancelled. */
function source(chunks: readonly unknown[], cancelled: unknown[] = []): ReadableStream<unknown> {
  let next = 0;
  return new ReadableStream(
    {
      pull(controller) {
        if (next === chunks.length) controller.close();
        else controller.enqueue(chunks[next++]);
      },
      cancel: (reason) => void cancelled.push(reason),
    },
    { highWaterMark: 0 },
  );
}

test('what is read is a copy, and the end is told once', async () => {
  const memory = Buffer.from('abc');
  const { body, events } = passed(source([memory, new Uint8Array(0), new Uint16Array([0x6564])]));
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.stream()) {
    memory.fill('x');
    chunks.push(chunk);
  }
  assert.deepEqual([Buffer.concat(chunks).toString(), events], ['abcde', ['ended']]);
  const { body: whole } = passed(source([Buffer.from('ab'), Buffer.from('cd')]));
  assert.equal(Buffer.from(await whole.gather()).toString(), 'abcd');
});

test('nothing is asked of the source before the body is read', async () => {
  let pulled = 0;
  const counting = new ReadableStream({ pull: () => void pulled++ }, { highWaterMark: 0 });
  passed(counting).body.stream();
  await Promise.resolve();
  assert.equal(pulled, 0);
});

test('what is no bytes, or another length than was said, breaks it off and cancels its source', async () => {
  for (const [chunks, lengthBytes, error] of [
    [['text'], null, NoBytes],
    [[Buffer.from('abc'), Buffer.from('d')], 3, WrongLength],
    [[Buffer.from('ab')], 3, WrongLength],
  ] as const) {
    const cancelled: unknown[] = [];
    const { body, events } = passed(source(chunks, cancelled), lengthBytes);
    await assert.rejects(body.gather(), error);
    assert.deepEqual(events, ['ended']);
  }
});

test('a failure reaches whoever waits, and whoever reads later', async () => {
  const cancelled: unknown[] = [];
  const never = new ReadableStream({ cancel: (reason) => void cancelled.push(reason) });
  const { body } = passed(never);
  const reading = body.gather();
  body.fail(new RangeError('enough'));
  await assert.rejects(reading, /enough/);
  await assert.rejects(body.gather(), /enough/);
  assert.equal((cancelled[0] as Error).message, 'enough');
  const { body: unread } = passed(source([Buffer.from('a')]));
  unread.fail(new RangeError('before'));
  await assert.rejects(new Response(unread.stream()).text(), /before/);
});

test('whoever reads may want no more', async () => {
  const cancelled: unknown[] = [];
  const { body, events } = passed(source([Buffer.from('a'), Buffer.from('b')], cancelled));
  const reader = body.stream().getReader();
  await reader.read();
  await reader.cancel('why');
  assert.deepEqual([cancelled, events], [['why'], ['cancelled']]);
});
