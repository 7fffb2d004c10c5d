import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { FRAME, HEADER_BYTES } from './frames.ts';
import { FrameParser } from './frame-parser.ts';
import { FrameWriter } from './frame-writer.ts';
import { MAX_FRAME_BYTES } from './limits.ts';

/** Takes nothing until it is told to. */
class SlowSink {
  readonly writes: number[] = [];
  readonly written: Uint8Array[] = [];
  #waiting: (() => void)[] = [];

  cork(): void {}
  uncork(): void {}

  write(bytes: Uint8Array, taken: () => void): void {
    this.writes.push(bytes.length);
    this.written.push(bytes);
    this.#waiting.push(taken);
  }

  take(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const taken of waiting) taken();
  }
}

test('frames for a side that does not read are gathered, not written one by one', async () => {
  const sink = new SlowSink();
  const writer = new FrameWriter(sink);
  const frame = HEADER_BYTES + 1;
  for (let i = 0; i < 100; i++) {
    writer.data(1, Buffer.alloc(1));
    await turn();
  }
  assert.deepEqual(sink.writes, [frame], 'the first is on its way, the others wait for it');
  sink.take();
  assert.deepEqual(sink.writes, [frame, 99 * frame]);
  writer.text(FRAME.ABORT, 0, 1, 'timeout');
  writer.flush();
  assert.equal(sink.writes.length, 3, 'whoever flushes does not wait');
});

test('a slab that is full does not wait', async () => {
  const sink = new SlowSink();
  const writer = new FrameWriter(sink);
  for (let i = 0; i < 4; i++) {
    writer.data(1, Buffer.alloc(64 * 1024));
    await turn();
  }
  assert.equal(
    sink.writes.reduce((sum, bytes) => sum + bytes, 0) >= 3 * 64 * 1024,
    true,
    `of 256 KB, ${sink.writes.join(' + ')} bytes are written`,
  );
});

test('what is lent is written from where it is, in its place, and told when the sink has it', async () => {
  const sink = new SlowSink();
  const writer = new FrameWriter(sink);
  const body = Buffer.alloc(100_000, 'b');
  let taken = 0;
  writer.text(FRAME.BODY_FAILED, 0, 1, 'before');
  writer.lend(2, body, () => taken++);
  writer.text(FRAME.BODY_FAILED, 0, 3, 'after');
  await turn();
  assert.ok(sink.written[1] === body, 'not a copy');
  const frames: string[] = [];
  const parser = new FrameParser(
    {
      frame: (_type, _flags, stream, payload) => frames.push(`${stream} ${payload.toString()}`),
      data: (stream, chunk) => frames.push(`${stream} ${chunk.length}`),
    },
    MAX_FRAME_BYTES,
  );
  parser.push(Buffer.concat(sink.written));
  assert.deepEqual(frames, ['1 before', '2 100000', '3 after']);
  assert.equal(taken, 0);
  sink.take();
  assert.equal(taken, 1);
});

test('a sink that takes nothing congests, and whoever waits is told once it takes', async () => {
  const sink = new SlowSink();
  const writer = new FrameWriter(sink);
  let told = 0;
  for (let i = 0; i < 8; i++) {
    assert.equal(writer.isCongested, false);
    writer.data(1, Buffer.alloc(64 * 1024));
    if (i === 3) await turn();
  }
  assert.equal(writer.isCongested, true);
  writer.whenRelieved(() => told++);
  await turn();
  assert.equal(told, 0);
  sink.take();
  assert.deepEqual([writer.isCongested, told], [false, 1]);
  sink.take();
  assert.equal(told, 1);
});
