import { NO_CALL_SINK, NO_CALLER } from '../model/calls.ts';
import { NO_PUBLISHER } from '../model/event.ts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import { FakeClock } from '../base/fake-clock.ts';
import { modeSettings } from './mode-settings.ts';
import { type InstanceHost, PooledInstance, START_LIMIT_MS } from './pooled-instance.ts';
import { FakeRuntime } from './testing/fake-runtime.ts';
import { revision } from './testing/scene.ts';

function begin(): { clock: FakeClock; runtime: FakeRuntime; one: PooledInstance; told: string[] } {
  const clock = new FakeClock();
  const runtime = new FakeRuntime(clock);
  const told: string[] = [];
  const host: InstanceHost = {
    becameReady: () => told.push('ready'),
    failedToStart: (_, error) => told.push(`failed: ${error.message}`),
    ended: (_, end, before) => told.push(`ended from ${before}: ${end.reason}`),
  };
  const shop = revision('shop');
  const one = new PooledInstance(
    {
      id: 'i_1',
      revision: shop,
      home: {
        caller: NO_CALLER,
        calls: NO_CALL_SINK,
        components: () => [],
        publisher: NO_PUBLISHER,
        log: { write: () => undefined },
        env: {},
      },
      settings: modeSettings(shop.spec, 'function', false),
      inspectPort: null,
      ordinal: 0,
      reason: 'a test',
      lives: null,
    },
    clock,
    host,
  );
  return { clock, runtime, one, told };
}

describe('PooledInstance', () => {
  it('goes from starting to ended, and says so once', async () => {
    const { clock, runtime, one, told } = begin();
    one.begin(runtime);
    assert.equal(one.state, 'starting');
    await clock.advance(20);
    assert.equal(one.state, 'ready');
    one.drain('not needed', 1_000);
    assert.equal(one.state, 'ending');
    await clock.advance(5);
    assert.equal(one.state, 'ended');
    one.drain('again', 0);
    one.kill(new FulcrumError('timeout', 'late'), 'late');
    assert.deepEqual(told, ['ready', 'ended from ending: not needed']);
    assert.equal(clock.pending, 0);
  });

  it('drains only after those have begun who were given it a moment ago', async () => {
    const { clock, runtime, one } = begin();
    one.begin(runtime);
    await clock.advance(20);
    one.assign();
    one.drain('a deploy', 1_000);
    assert.equal(one.hasRoom(5), false);
    assert.equal(runtime.instances[0]!.state, 'ready');
    await clock.advance(0);
    assert.equal(runtime.instances[0]!.state, 'draining');
    one.finish();
    assert.equal(one.state, 'ending');
  });

  it('lets a later drain shorten the time, and never lengthen it', async () => {
    const { clock, runtime, one } = begin();
    one.begin(runtime);
    await clock.advance(20);
    one.assign();
    one.drain('a deploy', 1_000);
    one.drain('a deploy', 5_000);
    one.drain('a shutdown', 100);
    await clock.advance(99);
    assert.equal(one.state, 'draining');
    await clock.advance(1);
    assert.equal(one.state, 'ending');
    assert.equal(one.endReason, 'a deploy');
  });

  it('kills what becomes ready although it had been given up', async () => {
    const { clock, runtime, one, told } = begin();
    const start = runtime.start.bind(runtime);
    // A runtime that does not listen to the signal.
    runtime.start = (order) => start({ ...order, signal: new AbortController().signal });
    one.begin(runtime);
    await clock.advance(5);
    one.giveUp(new FulcrumError('shutting-down', 'not needed any more'));
    assert.equal(one.state, 'ending');
    await clock.advance(20);
    assert.equal(one.state, 'ended');
    assert.equal(runtime.live.size, 0);
    assert.deepEqual(told, ['ended from ending: SIGKILL']);
  });

  it('reports a start that takes too long as failed, once', async () => {
    const { clock, runtime, one, told } = begin();
    runtime.onStart = () => ({ takesMs: START_LIMIT_MS * 2 });
    one.begin(runtime);
    await clock.advance(START_LIMIT_MS);
    assert.equal(told.filter((text) => text.startsWith('failed')).length, 1);
    assert.equal(one.state, 'ended');
  });
});
