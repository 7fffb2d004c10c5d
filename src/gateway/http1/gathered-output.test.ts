import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { ReadBuffer } from '../../base/read-buffer.ts';
import { GatheredOutput } from './gathered-output.ts';
import type { Socket } from 'node:net';

/** A client that takes nothing. */
class Stalled extends Writable {
  readonly held = new Set<ArrayBufferLike>();

  override write(chunk: Buffer, ...more: never[]): boolean {
    this.held.add(chunk.buffer);
    return super.write(chunk, ...more);
  }

  override _write(): void {}
}

test('what waits for a client that takes nothing holds no more than about its bytes', () => {
  const client = new Stalled();
  const output = new GatheredOutput(client as unknown as Socket);
  const piece = Buffer.alloc(5_000, 'x');
  for (let i = 0; i < 100; i++) {
    output.text('1388\r\n');
    output.add(piece);
    output.write();
  }
  let heldBytes = 0;
  for (const { byteLength } of client.held) heldBytes += byteLength;
  assert.equal(client.writableLength, 100 * 5_006);
  assert.ok(heldBytes < 256 * 1024 + 2 * client.writableLength, `${heldBytes} bytes are held`);
});

test('pieces are written together, in order, whatever their size', async () => {
  const written: Buffer[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(Buffer.from(chunk));
      done();
    },
  });
  const output = new GatheredOutput(sink as unknown as Socket);
  const large = Buffer.alloc(600_000, 'y');
  output.text('a');
  output.add(Buffer.from('b'));
  output.add(large);
  output.text('c');
  output.write();
  await new Promise<void>((done) => void sink.end(done));
  assert.equal(
    Buffer.concat(written).equals(Buffer.concat([Buffer.from('ab'), large, Buffer.from('c')])),
    true,
  );
  assert.equal(written.length, 3);
});

/** Deals with `text` as if a socket had read it into `into`. */
function read(into: ReadBuffer, text: string, use: (bytes: Buffer) => void): void {
  into.dealt(into.bytes.write(text, 'latin1'), use);
}

test('a large piece is written from where it was read, and kept until a slow client has it', async () => {
  const written: Buffer[] = [];
  const takes: (() => void)[] = [];
  const slow = new Writable({
    writev(chunks, done) {
      for (const { chunk } of chunks) written.push(chunk as Buffer);
      takes.push(done);
    },
  });
  const output = new GatheredOutput(slow as unknown as Socket);
  const into = new ReadBuffer(64 * 1024);
  const first = into.bytes;
  read(into, 'a'.repeat(20_000), (bytes) => {
    assert.equal(output.send('head', bytes), true);
    assert.equal(output.send('', bytes), false, 'it would have to wait');
  });
  read(into, 'b'.repeat(20_000), () => undefined);
  assert.deepEqual([written.length, written[1]!.buffer === first.buffer], [2, true]);
  assert.equal(Buffer.concat(written).toString(), `head${'a'.repeat(20_000)}`);
  takes.shift()!();
  await new Promise(setImmediate);
  const next = new ReadBuffer(64 * 1024);
  assert.ok(next.bytes === first, 'it was let go');
});

test('a client that takes all at once keeps nothing', () => {
  const fast = new Writable({ write: (_chunk, _encoding, done) => done() });
  const output = new GatheredOutput(fast as unknown as Socket);
  const into = new ReadBuffer(64 * 1024);
  const first = into.bytes;
  for (let i = 0; i < 3; i++) {
    read(into, 'a'.repeat(20_000), (bytes) => assert.equal(output.send('', bytes), true));
    assert.ok(into.bytes === first, 'it is read into again');
  }
});

test('what is short, or was not read just now, is for others to gather', () => {
  const output = new GatheredOutput(new Stalled() as unknown as Socket);
  const into = new ReadBuffer(64 * 1024);
  read(into, 'a'.repeat(1_000), (bytes) => assert.equal(output.send('', bytes), false));
  assert.equal(output.send('', Buffer.alloc(20_000)), false);
});
