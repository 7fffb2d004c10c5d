import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
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
