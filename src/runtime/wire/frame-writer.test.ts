import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { FRAME, HEADER_BYTES } from './frames.ts';
import { FrameWriter } from './frame-writer.ts';

/** Takes nothing until it is told to. */
class SlowSink {
  readonly writes: number[] = [];
  #waiting: (() => void)[] = [];

  cork(): void {}
  uncork(): void {}

  write(bytes: Uint8Array, taken: () => void): void {
    this.writes.push(bytes.length);
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
