import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FakeClock } from '../base/fake-clock.ts';
import { silentLogger } from '../base/log.ts';
import { LeaseHolder } from './lease-holder.ts';
import { MemoryEventStore } from './testing/memory-store.ts';

class Spied extends MemoryEventStore {
  readonly beats: string[] = [];

  override async beat(node: string, aliveUntilMs: number): Promise<void> {
    this.beats.push(node);
    await super.beat(node, aliveUntilMs);
  }
}

async function holderOf(): Promise<{ holder: LeaseHolder; clock: FakeClock; store: Spied }> {
  const [clock, store] = [new FakeClock(), new Spied()];
  const holder = new LeaseHolder({ store, clock, logger: silentLogger, reclaimed: () => undefined });
  await holder.begin(false);
  return { holder, clock, store };
}

describe('the name that a server leases by', () => {
  it('lives on where something was leased by it that came only after it was given up', async () => {
    const { holder, clock, store } = await holderOf();
    await holder.ensureAlive();
    const { id } = holder;
    // Two leases were on their way: one has failed, and the other has not.
    holder.doubt();
    holder.hold(id, 1);
    assert.equal(holder.held, 1);
    store.beats.length = 0;
    await clock.advance(60_000);
    assert.equal(store.beats.filter((node) => node === id).length, 12);
    holder.letGo(id, 1);
    store.beats.length = 0;
    await clock.advance(60_000);
    assert.equal(store.beats.includes(id), false);
  });

  it('is another one once it has been silent for so long that it may be taken for ended', async () => {
    const { holder, clock, store } = await holderOf();
    await holder.ensureAlive();
    const { id } = holder;
    holder.hold(id, 1);
    assert.equal(holder.isStillHeld(id), true);
    store.failing = { message: 'the database is away' };
    await clock.advance(15_000);
    assert.equal(holder.isStillHeld(id), false);
    store.failing = null;
    await clock.advance(5_000);
    assert.equal(holder.isStillHeld(id), false, 'that it speaks again takes nothing back');
    await holder.ensureAlive();
    assert.notEqual(holder.id, id);
    assert.equal(holder.isStillHeld(holder.id), true);
  });

  it('is nobody else’s to take over when deliveries begin for a second time', async () => {
    const { holder, store } = await holderOf();
    await holder.ensureAlive();
    const { id } = holder;
    holder.hold(id, 1);
    holder.doubt();
    await holder.begin(true);
    assert.equal(store.asked['reclaim'] ?? 0, 0);
    assert.deepEqual(
      (await store.nodes()).map(({ node }) => node),
      [id],
    );
  });
});
