import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { closeFrame, FrameTracker } from './websocket-frames.ts';

interface Frame {
  opcode: number;
  payloadBytes: number;
  masked: boolean;
  lengthForm: 0 | 2 | 8;
}

const frames = fc.array(
  fc.oneof(
    fc.record({
      opcode: fc.constantFrom(0, 1, 2),
      payloadBytes: fc.oneof(fc.nat(200), fc.constantFrom(125, 126, 65_535, 65_536)),
      masked: fc.boolean(),
      lengthForm: fc.constantFrom<0 | 2 | 8>(0, 2, 8),
    }),
    fc.record({
      opcode: fc.constantFrom(8, 9, 10),
      payloadBytes: fc.nat(125),
      masked: fc.boolean(),
      lengthForm: fc.constant<0>(0),
    }),
  ),
  { maxLength: 8 },
);
const cuts = fc.array(fc.nat(1_000_000), { maxLength: 30 });

test('finds the end of every frame, wherever the stream is cut', () => {
  fc.assert(
    fc.property(frames, cuts, (sent, cutAt) => {
      const stream = Buffer.concat(sent.map(encode));
      const expected: [number, boolean][] = [];
      let end = 0;
      for (const frame of sent) {
        end += encode(frame).length;
        expected.push([end, frame.opcode === 8]);
      }
      const tracker = new FrameTracker();
      const found: [number, boolean][] = [];
      let base = 0;
      for (const chunk of cut(stream, cutAt)) {
        for (let offset = 0; offset < chunk.length;) {
          offset = tracker.next(chunk, offset);
          if (tracker.position === 'between') found.push([base + offset, tracker.isClose]);
        }
        base += chunk.length;
      }
      assert.deepEqual(found, expected);
      assert.equal(tracker.position, 'between');
    }),
    { numRuns: 200 },
  );
});

test('random bytes neither throw nor hang, and never read past the chunk', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (chunks) => {
      const tracker = new FrameTracker();
      for (const chunk of chunks) {
        for (let offset = 0; offset < chunk.length;) {
          const next = tracker.next(chunk, offset);
          assert.ok(next > offset && next <= chunk.length);
          offset = next;
        }
      }
    }),
  );
});

test('is lost on a control frame that is long or fragmented, and on a length that cannot be', () => {
  for (const bytes of [
    [0x89, 126, 0, 200],
    [0x08, 0],
    [0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0],
  ]) {
    const tracker = new FrameTracker();
    const chunk = Uint8Array.from(bytes);
    assert.equal(tracker.next(chunk, 0), chunk.length);
    assert.equal(tracker.position, 'lost');
    assert.equal(tracker.next(chunk, 0), chunk.length);
  }
});

test('a close frame carries its code, masked or not', () => {
  assert.deepEqual([...closeFrame(1001, null)], [0x88, 2, 0x03, 0xe9]);
  assert.deepEqual(
    [...closeFrame(1001, Uint8Array.from([1, 2, 3, 4]))],
    [0x88, 0x82, 1, 2, 3, 4, 0x03 ^ 1, 0xe9 ^ 2],
  );
});

function encode(frame: Frame): Buffer {
  const form =
    frame.payloadBytes > 65_535
      ? 8
      : frame.payloadBytes > 125 && frame.lengthForm === 0
        ? 2
        : frame.lengthForm;
  const header = Buffer.alloc(2 + form + (frame.masked ? 4 : 0), 0x5a);
  header[0] = 0x80 | frame.opcode;
  header[1] = (frame.masked ? 0x80 : 0) | (form === 0 ? frame.payloadBytes : form === 2 ? 126 : 127);
  if (form === 2) header.writeUInt16BE(frame.payloadBytes, 2);
  if (form === 8) header.writeBigUInt64BE(BigInt(frame.payloadBytes), 2);
  // Filled with what looks like a close frame's first byte, so that a payload taken for a header is noticed.
  return Buffer.concat([header, Buffer.alloc(frame.payloadBytes, 0x88)]);
}

function cut(stream: Buffer, at: readonly number[]): Buffer[] {
  const points = [...new Set(at.map((n) => n % (stream.length + 1)))].sort((a, b) => a - b);
  const edges = [0, ...points, stream.length];
  return edges.slice(1).map((end, i) => stream.subarray(edges[i], end));
}
