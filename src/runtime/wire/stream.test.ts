import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FrameWriter } from './frame-writer.ts';
import { WINDOW_BYTES } from './limits.ts';
import { WireStream } from './stream.ts';
import { handle } from './testing/pair.ts';

/** Takes what it is given when it is told to. */
class Sink {
  bytes = 0;
  #waiting: (() => void)[] = [];

  cork(): void {}
  uncork(): void {}

  write(bytes: Uint8Array, taken: () => void): void {
    this.bytes += bytes.length;
    this.#waiting.push(taken);
  }

  take(): void {
    for (const taken of this.#waiting.splice(0)) taken();
  }
}

function streamOver(sink: Sink): { stream: WireStream; writer: FrameWriter; drains: () => number } {
  const writer = new FrameWriter(sink);
  const stream = new WireStream(1, writer);
  let drains = 0;
  handle(stream, { drained: () => void drains++ });
  return { stream, writer, drains: () => drains };
}

const READ = 64 * 1024;

test('whoever asks for room is stopped before anything has to wait, and told when there is', () => {
  const { stream, drains } = streamOver(new Sink());
  for (let sent = READ; sent < WINDOW_BYTES; sent += READ) {
    assert.equal(stream.write(Buffer.alloc(READ)), true);
    assert.equal(stream.hasRoomFor(READ), true);
  }
  assert.equal(stream.write(Buffer.alloc(READ)), true);
  assert.equal(stream.hasRoomFor(READ), false);
  stream.granted(READ - 1);
  assert.equal(drains(), 0, 'not enough for what it asked for');
  stream.granted(1);
  assert.equal(drains(), 1);
  stream.granted(READ);
  assert.equal(drains(), 1, 'nobody waits any more');
});

test('a body that is wholly sent waits for no more room than it takes', () => {
  const { stream } = streamOver(new Sink());
  assert.equal(stream.write(Buffer.alloc(WINDOW_BYTES)), true);
  assert.equal(stream.sent, true);
});

test('whoever asks for room waits for a connection that takes nothing', () => {
  const sink = new Sink();
  const { stream, writer, drains } = streamOver(sink);
  const other = new WireStream(3, writer);
  other.granted(WINDOW_BYTES * 3);
  other.write(Buffer.alloc(WINDOW_BYTES * 3));
  assert.equal(stream.hasRoomFor(READ), false);
  assert.equal(stream.hasRoomFor(READ), false);
  writer.flush();
  assert.equal(drains(), 0);
  sink.take();
  assert.equal(drains(), 1);
});

test('a stream that has ended is told nothing of room', () => {
  const sink = new Sink();
  const { stream, writer, drains } = streamOver(sink);
  stream.granted(WINDOW_BYTES * 3);
  stream.write(Buffer.alloc(WINDOW_BYTES * 3));
  assert.equal(stream.hasRoomFor(READ), false);
  stream.end();
  writer.flush();
  sink.take();
  assert.equal(drains(), 0);
});

test('lent bytes are given back when all of them have gone out, however little credit there was', () => {
  const sink = new Sink();
  const { stream, writer } = streamOver(sink);
  let taken = 0;
  assert.equal(
    stream.lend(Buffer.alloc(WINDOW_BYTES + 10), () => taken++),
    false,
  );
  writer.flush();
  sink.take();
  assert.equal(taken, 0);
  stream.granted(10);
  writer.flush();
  sink.take();
  assert.equal(taken, 1);
  assert.equal(sink.bytes, WINDOW_BYTES + 10 + 2 * 10);
});

test('lent bytes that are never wholly sent are not given back: a write may still hold them', () => {
  const sink = new Sink();
  const { stream, writer } = streamOver(sink);
  let taken = 0;
  stream.lend(Buffer.alloc(WINDOW_BYTES + 10), () => taken++);
  stream.end();
  writer.flush();
  sink.take();
  assert.equal(taken, 0);
});
