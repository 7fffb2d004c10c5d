import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import type { FulcrumError } from '../base/errors.ts';
import type { PooledInstance } from './pooled-instance.ts';
import { ReadyWait } from './ready-wait.ts';

function setup(least: number, ...states: PooledInstance['state'][]) {
  const clock = new FakeClock();
  const instances = states.map((state) => ({ state }) as PooledInstance);
  const room = { short: 0, gaveBack: 0 };
  const startError = (): FulcrumError | null => null;
  const wait = new ReadyWait({ component: 's', clock, instances, least, room, startError });
  const seen: { error: FulcrumError | null; ready: boolean } = { error: null, ready: false };
  wait.begin(2).then(
    () => (seen.ready = true),
    (error: FulcrumError) => (seen.error = error),
  );
  return { clock, instances, room, wait, seen };
}

const code = ({ error }: { error: FulcrumError | null }): string | undefined => error?.code;

describe('whoever waits for instances', () => {
  it('waits for none that made room for others, but always for the minimum', async () => {
    const { clock, instances, room, wait, seen } = setup(1, 'ready', 'starting');
    room.gaveBack = 2;
    (instances[0] as { state: string }).state = 'ending';
    wait.look(null);
    await clock.advance(0);
    assert.equal(seen.ready, false);
    (instances[1] as { state: string }).state = 'ready';
    wait.look(null);
    await clock.advance(0);
    assert.equal(seen.ready, true);
    assert.equal(clock.pending, 0);
  });

  it('is told after a minute that nothing comes of it, where nothing starts any more', async () => {
    const { clock, seen } = setup(2, 'ready', 'ending');
    await clock.advance(59_999);
    assert.equal(seen.error, null);
    await clock.advance(1);
    assert.equal(code(seen), 'start-failed');
    assert.equal(clock.pending, 0);
  });

  it('is told after a minute that there is no room', async () => {
    const { clock, room, seen } = setup(2, 'ready', 'starting');
    room.short = 1;
    await clock.advance(60_000);
    assert.equal(code(seen), 'machine-full');
  });

  it('waits for what starts for two minutes and no longer', async () => {
    const { clock, seen } = setup(2, 'ready', 'starting');
    await clock.advance(119_999);
    assert.equal(seen.error, null);
    await clock.advance(1);
    assert.equal(code(seen), 'start-failed');
  });
});
