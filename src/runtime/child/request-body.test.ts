import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LONG_WINDOW_BYTES, WINDOW_BYTES } from '../wire/limits.ts';
import { RequestBody } from './request-body.ts';
import type { WireStream } from '../wire/stream.ts';

const PIECE = Buffer.alloc(64 * 1024, 'x');

/** A body as it comes, and what the wire is told of it. */
function arriving(expectedBytes: number | null): {
  body: RequestBody;
  granted: () => number;
  push: (pieces: number) => void;
} {
  let granted = 0;
  const wire = {
    consumed: () => undefined,
    grant: (bytes: number) => void (granted += bytes),
  } as unknown as WireStream;
  const body = new RequestBody(
    wire,
    () => undefined,
    () => expectedBytes,
  );
  const push = (pieces: number): void => {
    for (let i = 0; i < pieces; i++) body.data(PIECE);
  };
  return { body, granted: () => granted, push };
}

const WIDER = LONG_WINDOW_BYTES - WINDOW_BYTES;

test('a long body that is read may have more of it on its way; one that nobody reads, or that is short, may not', async () => {
  const long = arriving(8 * LONG_WINDOW_BYTES);
  long.push(4);
  assert.equal(long.granted(), 0);
  const reader = long.body.stream().getReader();
  await reader.read();
  assert.equal(long.granted(), 0);
  await reader.read();
  await reader.read();
  assert.equal(long.granted(), WIDER, 'once');
  await reader.cancel();
  for (const expected of [null, WINDOW_BYTES]) {
    const other = arriving(expected);
    const whole = other.body.gather();
    other.push(4);
    other.body.end();
    assert.equal((await whole).length, 4 * PIECE.length);
    assert.equal(other.granted(), 0);
  }
});

test('only a few bodies of an instance have the longer window, until they are over', async () => {
  const bodies = Array.from({ length: 6 }, () => arriving(8 * LONG_WINDOW_BYTES));
  const wholes = bodies.map(({ body }) => body.gather());
  for (const { push } of bodies) push(4);
  assert.deepEqual(
    bodies.map(({ granted }) => granted()),
    [WIDER, WIDER, WIDER, WIDER, 0, 0],
  );
  bodies[0]!.body.end();
  bodies[1]!.body.fail(new Error('it broke off'));
  bodies[4]!.push(1);
  bodies[5]!.push(1);
  assert.deepEqual([bodies[4]!.granted(), bodies[5]!.granted()], [WIDER, WIDER]);
  for (const { body } of bodies) body.end();
  await Promise.allSettled(wholes);
});

test('what waits before somebody gathers it is part of it', async () => {
  const { body, push } = arriving(null);
  push(1);
  const whole = body.gather();
  body.data(Buffer.from('y'));
  body.end();
  const bytes = Buffer.from(await whole);
  assert.equal(bytes.length, PIECE.length + 1);
  assert.equal(bytes.toString('latin1', PIECE.length - 1), 'xy');
});
