import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import type { Mode } from '../model/app.ts';
import type { Instance, StartOrder } from '../model/instance.ts';
import type { Revision } from '../model/revision.ts';
import { FakeRuntime } from '../scaling/testing/fake-runtime.ts';
import { group, revision } from '../scaling/testing/scene.ts';
import { StartBook } from './start-book.ts';

function scene() {
  const clock = new FakeClock();
  const runtime = new FakeRuntime(clock);
  const book = new StartBook(clock);
  const begin = async (of: Revision, mode: Mode, takesMs: number, fails?: string): Promise<Instance> => {
    runtime.onStart = () => ({ takesMs, ...(fails !== undefined && { fails }) });
    const order = { revision: of, mode, signal: new AbortController().signal, memoryBytes: 1 };
    const starting = book.watched(runtime).start(order as unknown as StartOrder);
    starting.catch(() => undefined);
    await clock.advance(takesMs);
    return await starting;
  };
  return { clock, runtime, book, begin };
}

describe('a book of starts', () => {
  it('has how long each took, by unit and mode, and none that failed', async () => {
    const { book, begin } = scene();
    await begin(revision('cart'), 'function', 30);
    await begin(revision('cart'), 'function', 50);
    await begin(revision('cart'), 'service', 200);
    await begin(revision('mail'), 'function', 70);
    await assert.rejects(begin(revision('cart'), 'function', 10, 'broken'));
    assert.deepEqual(book.startsMs('cart'), { function: [30, 50], service: [200] });
    assert.deepEqual(book.startsMs('mail'), { function: [70], service: [] });
    assert.deepEqual(book.startsMs('nobody'), { function: [], service: [] });
  });

  it('holds the latest 256', async () => {
    const { book, begin } = scene();
    for (let ms = 1; ms <= 300; ms++) await begin(revision('cart'), 'function', ms);
    const { function: starts } = book.startsMs('cart');
    assert.deepEqual([starts.length, starts[0], starts.at(-1)], [256, 45, 300]);
  });

  it('knows since when a mode is the one that is started', async () => {
    const { clock, book, begin } = scene();
    const beganMs = clock.nowMs();
    await clock.advance(1_000);
    await begin(revision('cart'), 'function', 10);
    assert.equal(book.modeSinceMs('cart', 'function'), beganMs);
    await clock.advance(1_000);
    await begin(revision('cart'), 'service', 10);
    assert.equal(book.modeSinceMs('cart', 'service'), clock.nowMs());
    await clock.advance(1_000);
    await begin(revision('cart'), 'service', 10);
    assert.equal(book.modeSinceMs('cart', 'service'), clock.nowMs() - 1_010);
  });

  it('is told by instances whether their modules take WebSockets, and by no program', async () => {
    const { runtime, book, begin } = scene();
    const unit = group('core', [revision('chat'), revision('cart')]);
    assert.equal(book.takesSockets('core', 'chat'), null);
    const instance = await begin(unit, 'function', 10);
    assert.equal(book.takesSockets('core', 'chat'), instance.handlersOf('chat')!.websocket);
    const silent = { ...instance, handlersOf: () => null } as unknown as Instance;
    runtime.start = () => Promise.resolve(silent);
    const order = { revision: revision('legacy'), mode: 'service' } as unknown as StartOrder;
    await book.watched(runtime).start(order);
    assert.equal(book.takesSockets('legacy', 'legacy'), null);
  });
});
