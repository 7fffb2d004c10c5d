import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { probeMachine } from '../sandbox/probe.ts';

const { ffi } = await probeMachine();
const usualBytes = ffi ? Number(readFileSync('/proc/sys/net/core/wmem_default', 'utf8')) : 0;
const skip = ffi ? false : 'this Node cannot call foreign functions';
const isWide = usualBytes > 1024 ** 2 && 'sockets hold as much here as they come';

test('a widened socket takes more of a body at once', { skip: skip || isWide }, async () => {
  const { closeDescriptor, sendWith, socketPair } = await import('./descriptors.ts');
  const { widenSendBuffer } = await import('./socket-buffer.ts');
  const taken = (widened: boolean): number => {
    const [one, other] = socketPair();
    try {
      if (widened) widenSendBuffer(one);
      return sendWith(one, Buffer.alloc(4 * 1024 * 1024), []);
    } finally {
      closeDescriptor(one);
      closeDescriptor(other);
    }
  };
  const [usual, wide] = [taken(false), taken(true)];
  assert.ok(wide >= 1.5 * usual, `${wide} bytes, and ${usual} as it comes`);
});

test('a descriptor that is no socket is left alone', { skip }, async () => {
  const { closeDescriptor, pipe } = await import('./descriptors.ts');
  const { widenSendBuffer } = await import('./socket-buffer.ts');
  const [one, other] = pipe();
  assert.doesNotThrow(() => widenSendBuffer(one));
  for (const descriptor of [one, other]) closeDescriptor(descriptor);
});
