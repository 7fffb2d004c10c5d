import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { EventBoundaries } from './event-stream.ts';

const piece = fc.constantFrom('data: x', 'a', ':', '\n', '\n\n', '\r\n', '\r\n\r\n', '\r', '\r\r', 'é');
const stream = fc.array(piece, { maxLength: 30 }).map((pieces) => Buffer.from(pieces.join('')));
const cuts = fc.array(fc.nat(200), { maxLength: 10 });

test('finds the same boundaries wherever the stream is cut', () => {
  fc.assert(
    fc.property(stream, cuts, (bytes, at) => {
      assert.deepEqual(boundaries(cut(bytes, at)), expected(bytes));
    }),
    { numRuns: 1_000 },
  );
});

test('reading whole chunks leaves it where reading byte by byte does', () => {
  fc.assert(
    fc.property(stream, cuts, (bytes, at) => {
      const whole = new EventBoundaries();
      for (const chunk of cut(bytes, at)) whole.push(chunk);
      const single = new EventBoundaries();
      for (const byte of bytes) single.push(Uint8Array.of(byte));
      assert.equal(whole.atBoundary, single.atBoundary);
      // The same state, not only the same answer: the next boundary is the same too.
      const rest = Buffer.from('\nb\r\r\n\r\nc');
      assert.equal(whole.firstBoundary(rest), single.firstBoundary(rest));
    }),
    { numRuns: 1_000 },
  );
});

test('a stream in which nothing came yet may end', () => {
  assert.equal(new EventBoundaries().atBoundary, true);
});

/** Offsets behind each blank line, by a plain reading of the whole: what the text before each offset says. */
function expected(bytes: Buffer): number[] {
  const text = bytes.toString('latin1');
  const found: number[] = [];
  for (let end = 1; end <= text.length; end++) {
    // Between the halves of a CRLF no line ends, nor does one at a CR that is the last byte so far.
    if (text[end - 1] === '\r' && (end === text.length || text[end] === '\n')) continue;
    if (/(?:^|\r\n|\n|\r)(?:\r\n|\n|\r)$/.test(lines(text.slice(0, end)))) found.push(end);
  }
  return found;
}

/** Every line end as one LF, so that the halves of a CRLF are not taken for two. */
function lines(text: string): string {
  return text.replace(/\r\n|\r/g, '\n');
}

function boundaries(chunks: readonly Buffer[]): number[] {
  const tracker = new EventBoundaries();
  const found: number[] = [];
  let base = 0;
  for (const chunk of chunks) {
    let offset = 0;
    while (offset < chunk.length) {
      const at = tracker.firstBoundary(chunk.subarray(offset));
      if (at < 0) break;
      offset += at;
      found.push(base + offset);
    }
    base += chunk.length;
  }
  return found;
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const points = [...new Set(at.map((n) => n % (bytes.length + 1)))].sort((a, b) => a - b);
  const edges = [0, ...points, bytes.length];
  return edges.slice(1).map((end, i) => bytes.subarray(edges[i], end));
}
