import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { closeDescriptor, socketPair, writeAll } from '../native/descriptors.ts';
import type { ProcessEnd } from '../process/managed-process.ts';
import { Forker } from './forker.ts';
import { encodeMessage, type Report } from './orders.ts';
import { ZygoteLost } from './zygote-lost.ts';

const linux = { skip: process.platform !== 'linux' && 'zygotes are made on Linux only' };

/** A forker, and what a zygote at the other end says. */
function scene(t: TestContext): { forker: Forker; say: (report: Report | string) => void } {
  const [server, zygote] = socketPair();
  const forker = new Forker(server, systemClock, () => undefined);
  t.after(async () => {
    closeDescriptor(zygote);
    forker.close();
    await forker.closed;
  });
  return { forker, say: (report) => writeAll(zygote, encodeMessage(report as Report)) };
}

const ORDER = { do: 'instance', folder: 'a' } as const;

describe('a forker', linux, () => {
  test('an end that was told of an earlier process of the same number is not the new one’s', async (t) => {
    const { forker, say } = scene(t);
    say({ said: 'ended', pid: 42, exitCode: 1, signal: null });
    const forked = forker.fork({ ...ORDER, id: 1 }, []);
    say({ said: 'forked', id: 1, pid: 42 });
    assert.equal(await forked, 42);
    const ended = Promise.withResolvers<ProcessEnd>();
    forker.whenEnded(42, ended.resolve);
    say({ said: 'ended', pid: 42, exitCode: 7, signal: null });
    assert.deepEqual(await ended.promise, { exitCode: 7, signal: null });
  });

  test('a zygote that says one number twice is cut off, and every process of it is given up', async (t) => {
    const { forker, say } = scene(t);
    const first = forker.fork({ ...ORDER, id: 1 }, []);
    say({ said: 'forked', id: 1, pid: 42 });
    await first;
    const lost = Promise.withResolvers<boolean>();
    forker.whenEnded(42, (_end, isLost) => lost.resolve(isLost));
    const second = forker.fork({ ...ORDER, id: 2 }, []);
    say({ said: 'forked', id: 2, pid: 42 });
    await assert.rejects(second, ZygoteLost);
    assert.equal(await lost.promise, true);
  });

  test('what is no report cuts the zygote off', async (t) => {
    const { forker, say } = scene(t);
    const forked = forker.fork({ ...ORDER, id: 1 }, []);
    say('../fifo');
    await assert.rejects(forked, ZygoteLost);
    await forker.closed;
  });
});
