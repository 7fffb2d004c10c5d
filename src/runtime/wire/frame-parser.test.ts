import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { FulcrumError } from '../../base/errors.ts';
import { FRAME } from './frames.ts';
import { FrameParser } from './frame-parser.ts';
import { FrameWriter } from './frame-writer.ts';

type Parsed = [type: number, flags: number, stream: number, payload: string];

/** What a parser makes of `chunks`; DATA that belongs together is put together. */
function parse(chunks: readonly Buffer[], maxFrameBytes = 1_000_000): Parsed[] {
  const frames: Parsed[] = [];
  let last: Parsed | null = null;
  const parser = new FrameParser(
    {
      frame: (type, flags, stream, payload) => {
        last = null;
        frames.push([type, flags, stream, payload.toString('hex')]);
      },
      data: (stream, chunk) => {
        if (last !== null && last[2] === stream) {
          last[3] += chunk.toString('hex');
          return;
        }
        last = [FRAME.DATA, 0, stream, chunk.toString('hex')];
        frames.push(last);
      },
    },
    maxFrameBytes,
  );
  for (const chunk of chunks) parser.push(chunk);
  return frames;
}

function cut(whole: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return at.slice(1).map((end, i) => whole.subarray(at[i], end));
}

function bytesOf(frames: readonly Parsed[]): Buffer {
  const written: Uint8Array[] = [];
  const writer = new FrameWriter({
    cork: () => undefined,
    uncork: () => undefined,
    write: (bytes) => written.push(bytes),
    // What is kept here is never given back.
  });
  for (const [type, flags, stream, payload] of frames)
    writer.bytes(type, flags, stream, Buffer.from(payload, 'hex'));
  writer.flush();
  return Buffer.concat(written);
}

const payload = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.integer({ min: 0, max: 40_000 }).map((length) => new Uint8Array(length).fill(length)),
);
const frame = fc
  .tuple(
    fc.constantFrom(...Object.values(FRAME), 128, 255),
    fc.nat(255),
    fc.nat(0xffff_ffff),
    payload.map((bytes) => Buffer.from(bytes).toString('hex')),
  )
  // DATA has no flags, and may be told in pieces.
  .map(([type, flags, stream, bytes]): Parsed => [type, type === FRAME.DATA ? 0 : flags, stream, bytes]);
/** DATA frames of one stream that follow each other are one run of bytes. */
const apart = (frames: Parsed[]): boolean =>
  frames.every(
    (one, i) => !(one[0] === FRAME.DATA && frames[i - 1]?.[0] === FRAME.DATA && frames[i - 1]![2] === one[2]),
  );

test('wherever the bytes are cut, the frames are the same', () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 12 }).filter(apart),
      fc.array(fc.nat(), { maxLength: 20 }),
      (frames, places) => {
        assert.deepEqual(parse(cut(bytesOf(frames), places)), frames);
      },
    ),
  );
});

test('one byte at a time is as good as all at once', () => {
  const frames: Parsed[] = [
    [FRAME.GO_AWAY, 0, 0, ''],
    [FRAME.DATA, 0, 7, 'aabbcc'],
    [FRAME.DONE, 3, 0xffff_ffff, '01020304'],
    [FRAME.BODY_END, 0, 2, ''],
  ];
  const whole = bytesOf(frames);
  assert.deepEqual(parse([...whole].map((byte) => Buffer.of(byte))), frames);
});

test('garbage and mutated frames end in wire-protocol or in nothing, never in anything else', () => {
  const onlyProtocolErrors = (chunks: readonly Buffer[]): void => {
    try {
      parse(chunks, 1024);
    } catch (error) {
      if (!(error instanceof FulcrumError) || error.code !== 'wire-protocol') throw error;
    }
  };
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
      onlyProtocolErrors(chunks.map((chunk) => Buffer.from(chunk)));
    }),
  );
  fc.assert(
    fc.property(
      fc.array(frame, { minLength: 1, maxLength: 5 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 5 }),
      (frames, mutations, places) => {
        const whole = bytesOf(frames);
        for (const [place, value] of mutations) whole[place % whole.length] = value;
        onlyProtocolErrors(cut(whole, places));
      },
    ),
  );
});

test('a frame that is too long is refused by its header, before anything is held', () => {
  const header = Buffer.alloc(10);
  header.writeUInt32LE(1025, 0);
  header[4] = FRAME.LOG;
  assert.throws(() => parse([header], 1024), { code: 'wire-protocol' });
  header.writeUInt32LE(1024, 0);
  assert.deepEqual(parse([header], 1024), []);
});
