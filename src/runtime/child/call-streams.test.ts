import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { FulcrumError } from '../../base/errors.ts';
import { WINDOW_BYTES } from '../wire/limits.ts';
import { LocalCrossing } from './local-crossing.ts';
import { wired } from './testing/wired.ts';

type Functions = Readonly<Record<string, (...args: never[]) => unknown>>;
type Call = (name: string, ...args: unknown[]) => Promise<unknown>;

/** The same functions called over the wire, and within the process. */
const WAYS: Readonly<Record<string, (t: TestContext, functions: Functions) => Promise<Call>>> = {
  'over the wire': async (t, functions) => (await wired(t, functions)).call,
  'in the process':
    async (_t, functions) =>
    async (name, ...args) => {
      const crossing = new LocalCrossing();
      const given = crossing.cross(args, 'arguments') as never[];
      const result = crossing.cross(await functions[name]!(...given), 'result');
      void crossing.returned();
      return result;
    },
};

async function all<T = unknown>(stream: ReadableStream<T>): Promise<T[]> {
  const chunks: T[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

function streamOf(...chunks: unknown[]): ReadableStream {
  return ReadableStream.from(chunks);
}

for (const [way, open] of Object.entries(WAYS)) {
  test(`streams pass ${way}, in arguments and in results`, async (t) => {
    const call = await open(t, {
      collect: async ({ deep }: { deep: [ReadableStream] }) => await all(deep[0]),
      give: () => new Map([['s', streamOf(1, { a: new Date(5) }, new Uint8Array([1, 2]), 'text')]]),
      through: (stream: ReadableStream<string>) => ({
        upper: stream.pipeThrough(
          new TransformStream<string, string>({ transform: (text, to) => to.enqueue(text.toUpperCase()) }),
        ),
      }),
    });
    const chunks = ['a', Buffer.from('bytes'), { map: new Map([[1, 2]]) }, undefined, new Uint8Array(0)];
    assert.deepEqual(await call('collect', { deep: [streamOf(...chunks)] }), [
      'a',
      new Uint8Array(Buffer.from('bytes')),
      { map: new Map([[1, 2]]) },
      undefined,
      new Uint8Array(0),
    ]);
    const given = (await call('give')) as Map<string, ReadableStream>;
    assert.deepEqual(await all(given.get('s')!), [1, { a: new Date(5) }, new Uint8Array([1, 2]), 'text']);
    const { upper } = (await call('through', streamOf('a', 'b'))) as { upper: ReadableStream };
    assert.deepEqual(await all(upper), ['A', 'B']);
  });

  test(`what the author gave is locked and not changed ${way}`, async (t) => {
    const call = await open(t, { ignore: () => 5 });
    const args = { stream: streamOf(1), signal: new AbortController().signal };
    const { stream, signal } = args;
    assert.equal(await call('ignore', args), 5);
    assert.equal(args.stream, stream);
    assert.equal(args.signal, signal);
    assert.equal(stream.locked, true);
    await assert.rejects(call('ignore', { again: [stream] }), {
      code: 'call-not-cloneable',
      message: /the arguments\[0\]\.again\[0\] .*locked/,
    });
    const read = streamOf(1, 2);
    const reader = read.getReader();
    await reader.read();
    reader.releaseLock();
    await assert.rejects(call('ignore', read), { message: /read or cancelled before/ });
    const twice = streamOf(1);
    await assert.rejects(call('ignore', twice, twice), { message: /the arguments\[1\] .*twice/ });
    assert.equal(twice.locked, false, 'what was refused was not taken');
    const many = Array.from({ length: 33 }, () => streamOf(1));
    await assert.rejects(call('ignore', many), { code: 'call-not-cloneable', message: /\[0\]\[32\] .*32/ });
  });

  test(`an error of the source reaches the reader ${way} with name, message, code and cause`, async (t) => {
    const failing = (): ReadableStream =>
      new ReadableStream(
        {
          start(controller) {
            controller.enqueue('first');
          },
          pull(controller) {
            const error = new TypeError('far', { cause: Object.assign(new Error('below'), { code: 7 }) });
            controller.error(Object.assign(error, { name: 'ShopError', code: 'E_SHOP' }));
          },
        },
        { highWaterMark: 0 },
      );
    const call = await open(t, {
      give: failing,
      take: (stream: ReadableStream) => all(stream).catch((error: Error) => [error]),
    });
    const stream = (await call('give')) as ReadableStream;
    const shape = { name: 'ShopError', message: 'far', code: 'E_SHOP' };
    await assert.rejects(all(stream), (error: Error) => {
      assert.deepEqual(
        { name: error.name, message: error.message, code: Reflect.get(error, 'code') as unknown },
        shape,
      );
      assert.deepEqual(
        [(error.cause as Error).message, Reflect.get(error.cause as Error, 'code')],
        ['below', 7],
      );
      return true;
    });
    const [error] = (await call('take', failing())) as [Error];
    assert.equal(error.name, 'ShopError');
  });

  test(`a chunk that cannot be cloned is an error at both ends ${way}`, async (t) => {
    const cancelled = Promise.withResolvers<unknown>();
    const call = await open(t, {
      give: () =>
        new ReadableStream({
          pull: (controller) => controller.enqueue({ f: () => 1 }),
          cancel: (reason) => cancelled.resolve(reason),
        }),
    });
    const stream = (await call('give')) as ReadableStream;
    await assert.rejects(all(stream), { code: 'call-not-cloneable', message: /chunk.*\.f/ });
    assert.equal(((await cancelled.promise) as FulcrumError).code, 'call-not-cloneable');
  });

  test(`a reader that wants no more is told to the source ${way}, with its reason`, async (t) => {
    const cancelled = Promise.withResolvers<unknown>();
    const call = await open(t, {
      give: () =>
        new ReadableStream({
          pull: (controller) => controller.enqueue('again'),
          cancel: (reason) => cancelled.resolve(reason),
        }),
    });
    const stream = (await call('give')) as ReadableStream;
    const reader = stream.getReader();
    assert.equal((await reader.read()).value, 'again');
    await reader.cancel(Object.assign(new Error('enough'), { code: 'E_ENOUGH' }));
    const reason = (await cancelled.promise) as Error & { code: string };
    assert.deepEqual([reason.message, reason.code], ['enough', 'E_ENOUGH']);
  });

  test(`a slow reader holds the source back ${way}`, async (t) => {
    let pulled = 0;
    const size = 8 * 1024;
    const call = await open(t, {
      give: () =>
        new ReadableStream({
          pull(controller) {
            pulled += size;
            if (pulled > 100 * WINDOW_BYTES) controller.close();
            else controller.enqueue(new Uint8Array(size));
          },
        }),
      other: () => 'answered',
    });
    const stream = (await call('give')) as ReadableStream<Uint8Array>;
    const reader = stream.getReader();
    await reader.read();
    // Whatever was on its way has come when so many others have been answered.
    for (let i = 0; i < 200; i++) await call('other');
    assert.ok(pulled <= 3 * WINDOW_BYTES, `${pulled} bytes were pulled`);
    reader.releaseLock();
    let bytes = size;
    for await (const chunk of stream) bytes += chunk.length;
    assert.equal(bytes, 100 * WINDOW_BYTES);
  });

  test(`chunks larger than any window pass ${way}`, async (t) => {
    const call = await open(t, { collect: (stream: ReadableStream) => all(stream) });
    const text = 'x'.repeat(3 * 1024 * 1024);
    const bytes = new Uint8Array(5 * 512 * 1024).fill(7);
    const back = (await call('collect', streamOf(text, bytes, 'end'))) as [
      string,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    assert.equal(back.length, 5, 'of bytes 1 MB at a time');
    assert.equal(back[0], text);
    assert.deepEqual([back[1].length, back[2].length, back[3].length], [2 ** 20, 2 ** 20, 2 ** 19]);
    assert.ok(back[3].every((byte) => byte === 7));
  });

  test(`signals pass ${way}: aborted ones, and those that abort later`, async (t) => {
    const listening = Promise.withResolvers<void>();
    const call = await open(t, {
      look: (a: AbortSignal, b: AbortSignal) => [a === b, a.aborted, a.reason],
      wait: async (signal: AbortSignal) => {
        const { promise, resolve } = Promise.withResolvers<unknown>();
        signal.addEventListener('abort', () => resolve(signal.reason));
        listening.resolve();
        return await promise;
      },
      give: () => ({ signal: AbortSignal.abort(new RangeError('why')) }),
    });
    const aborted = AbortSignal.abort({ why: 5 });
    assert.deepEqual(await call('look', aborted, aborted), [true, true, { why: 5 }]);
    const fresh = new AbortController().signal;
    assert.deepEqual(await call('look', fresh, fresh), [true, false, undefined]);
    const controller = new AbortController();
    const running = call('wait', AbortSignal.any([controller.signal]));
    await listening.promise;
    controller.abort();
    const reason = (await running) as DOMException;
    assert.ok(reason instanceof DOMException);
    assert.equal(reason.name, 'AbortError');
    const { signal } = (await call('give')) as { signal: AbortSignal };
    assert.ok(signal.reason instanceof RangeError && signal.reason.message === 'why');
  });

  test(`streams among the arguments end with the call ${way}`, async (t) => {
    const cancelled = Promise.withResolvers<unknown>();
    let kept: ReadableStream | null = null;
    const call = await open(t, { keep: (stream: ReadableStream) => void (kept = stream) });
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue('again'),
      cancel: (reason) => cancelled.resolve(reason),
    });
    await call('keep', endless);
    assert.ok((await cancelled.promise) instanceof DOMException);
    await assert.rejects(all(kept!), { code: 'client-gone' });
  });
}

test('an invocation is over when the streams that it returned have ended, and its value is told before', async (t) => {
  const [go, asked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { call, ended } = await wired(t, {
    give: () =>
      new ReadableStream(
        {
          async pull(controller) {
            asked.resolve();
            await go.promise;
            controller.enqueue('late');
            controller.close();
          },
        },
        { highWaterMark: 0 },
      ),
  });
  const stream = (await call('give')) as ReadableStream;
  await asked.promise;
  let isOver = false;
  void ended[0]!.then(() => (isOver = true));
  assert.equal(isOver, false);
  go.resolve();
  assert.deepEqual(await all(stream), ['late']);
  assert.equal((await ended[0]!).outcome, 'ok');
});

test('a callee that dies in mid-stream fails the stream, which names it and the request', async (t) => {
  const { call, ends } = await wired(t, {
    give: () => new ReadableStream({ start: (c) => c.enqueue('first') }),
  });
  const reader = ((await call('give')) as ReadableStream).getReader();
  assert.equal((await reader.read()).value, 'first');
  ends.toCallee.destroy();
  ends.toCallee.loseStreams(new FulcrumError('instance-crashed', 'The process has ended: SIGKILL.'));
  await assert.rejects(reader.read(), { code: 'instance-crashed', message: /"store".*r_wired.*SIGKILL/ });
});

test('a caller that goes cancels what it reads, and what is under way is given up at its deadline', async (t) => {
  const cancelled = Promise.withResolvers<unknown>();
  const { call, ends, ended } = await wired(t, {
    give: () =>
      new ReadableStream({ pull: (c) => c.enqueue('again'), cancel: (reason) => cancelled.resolve(reason) }),
  });
  const stream = (await call('give')) as ReadableStream;
  ends.toCaller.destroy();
  ends.toCaller.loseStreams(new FulcrumError('instance-crashed', 'It has gone.'));
  assert.ok((await cancelled.promise) instanceof DOMException);
  assert.equal((await ended[0]!).outcome, 'ok');
  assert.equal(stream.locked, false);
});

test('a call that is given up fails its streams at both ends', async (t) => {
  const cancelled = Promise.withResolvers<unknown>();
  const { call, abort, ended } = await wired(t, {
    give: () =>
      new ReadableStream({ start: (c) => c.enqueue(1), cancel: (reason) => cancelled.resolve(reason) }),
  });
  const reader = ((await call('give')) as ReadableStream).getReader();
  await reader.read();
  abort(new FulcrumError('timeout', 'It took too long.'));
  await assert.rejects(reader.read(), { code: 'timeout', message: /"store".*r_wired/ });
  assert.ok((await cancelled.promise) instanceof DOMException);
  assert.equal((await ended[0]!).outcome, 'timeout');
});

test('when all is over no stream is open at any end', async (t) => {
  const { call, ends } = await wired(t, {
    through: (stream: ReadableStream, signal: AbortSignal) => [stream, signal],
    fails: (_stream: ReadableStream) => {
      throw new Error('no');
    },
  });
  for (let i = 0; i < 20; i++) {
    const [stream] = (await call('through', streamOf(i), new AbortController().signal)) as [ReadableStream];
    assert.deepEqual(await all(stream), [i]);
    await assert.rejects(call('fails', streamOf(i)), { message: 'no' });
  }
  const later = await call('through', streamOf(1), new AbortController().signal);
  assert.deepEqual(await all((later as [ReadableStream])[0]), [1]);
  for (const peer of Object.values(ends)) assert.equal(await peer.ping(5_000), true);
  for (const peer of Object.values(ends)) assert.equal(await peer.ping(5_000), true);
  assert.deepEqual(
    Object.values(ends).map(({ channels }) => channels),
    [0, 0, 0, 0],
  );
});

test('so many streams that there are no places more are refused, and nobody waits for ever', async (t) => {
  const { call } = await wired(t, { give: () => new ReadableStream(), take: () => 5 });
  const streams = await Promise.all(Array.from({ length: 250 }, () => call('give')));
  await assert.rejects(
    call(
      'take',
      Array.from({ length: 32 }, () => streamOf(1)),
    ),
    { code: 'overloaded' },
  );
  assert.equal(await call('take', 1), 5);
  await Promise.all((streams as ReadableStream[]).map((stream) => stream.cancel()));
  assert.equal(await call('take', streamOf(1)), 5);
});

test('with a server that is older than streams are they are refused in words', async (t) => {
  const { call } = await wired(t, { give: () => new ReadableStream(), take: () => 5 }, 2);
  await assert.rejects(call('give'), { code: 'call-not-cloneable', message: /older Fulcrum/ });
  await assert.rejects(call('take', streamOf(1)), { code: 'call-not-cloneable', message: /older Fulcrum/ });
  assert.equal(await call('take', 1), 5);
});
