import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Scene, revision, revisions } from './testing/scene.ts';

const shop = (
  o: { id?: string; replicas?: [number, number]; concurrency?: number } = {},
): ReturnType<typeof revision> => {
  const [minReplicas, maxReplicas] = o.replicas ?? [3, 3];
  return revision('shop', {
    mode: 'service',
    id: o.id ?? 'aaaaaaaaaaaa',
    service: { minReplicas, maxReplicas, concurrency: o.concurrency ?? 100, affinity: { kind: 'cookie' } },
  });
};

const CLIENTS = Array.from({ length: 60 }, (_, i) => `client-${i}`);

/** Which instance each client's next invocation is given to. */
async function homesOf(scene: Scene): Promise<Map<string, string>> {
  const homes = new Map<string, string>();
  for (const affinityKey of CLIENTS) {
    const slot = await scene.scaler.take('shop', scene.context({ affinityKey }));
    homes.set(affinityKey, slot.instance.id);
    slot.release({ outcome: 'ok', error: null, cpuMs: 0 });
  }
  return homes;
}

/** Who went from where to where, as `before → now`. */
function moves(before: Map<string, string>, now: Map<string, string>): Set<string> {
  const seen = new Set<string>();
  for (const [client, from] of before)
    if (now.get(client) !== from) seen.add(`${from} → ${now.get(client)!}`);
  return seen;
}

describe('a service with affinity', () => {
  it('keeps each client to its replica, and uses all of them', async () => {
    const scene = await Scene.of(shop());
    const homes = await homesOf(scene);
    assert.equal(new Set(homes.values()).size, 3);
    assert.deepEqual(await homesOf(scene), homes);
  });

  it('gives a lost replica’s clients to the one that replaces it, and moves nobody else', async () => {
    const scene = await Scene.of(shop());
    const before = await homesOf(scene);
    const [, second] = scene.runtime.instances;
    second!.crash();
    await scene.pass(1_000);
    const replacement = scene.runtime.instances.at(-1)!;
    assert.deepEqual(moves(before, await homesOf(scene)), new Set([`${second!.id} → ${replacement.id}`]));
  });

  it('gives a failing replica’s clients to the one that replaces it', async () => {
    const scene = await Scene.of(shop());
    const before = await homesOf(scene);
    const [first] = scene.runtime.instances;
    first!.health = 'bad';
    await scene.pass(31_000);
    assert.equal(first!.state, 'ended');
    const replacement = scene.runtime.instances.at(-1)!;
    assert.deepEqual(moves(before, await homesOf(scene)), new Set([`${first!.id} → ${replacement.id}`]));
  });

  it('keeps clients together through a deploy: place for place', async () => {
    const scene = await Scene.of(shop());
    const before = await homesOf(scene);
    await scene.meanwhile(scene.scaler.deploy(revisions(shop({ id: 'bbbbbbbbbbbb' }))));
    assert.equal(moves(before, await homesOf(scene)).size, 3);
  });

  it('moves only to the new one when it grows, and back when that goes', async () => {
    const scene = await Scene.of(shop({ replicas: [2, 3], concurrency: 10 }));
    const before = await homesOf(scene);
    const busy = Array.from({ length: 18 }, () => scene.send('shop', 8_000));
    await scene.pass(9_000);
    await Promise.all(busy);
    const grown = await homesOf(scene);
    const third = scene.runtime.instances.at(-1)!;
    assert.equal(scene.runtime.live.size, 3);
    for (const move of moves(before, grown)) assert.ok(move.endsWith(`→ ${third.id}`), move);
    await scene.pass(180_000);
    assert.equal(third.state, 'ended');
    assert.deepEqual(await homesOf(scene), before);
  });

  it('lets nobody wait while another is free', async () => {
    const scene = await Scene.of(shop({ concurrency: 2 }));
    const all = Array.from({ length: 6 }, () => scene.send('shop', 50, { affinityKey: 'always the same' }));
    assert.equal(scene.status('shop').queued, 0);
    assert.deepEqual(
      scene.status('shop').instances.map(({ inFlight }) => inFlight),
      [2, 2, 2],
    );
    await scene.meanwhile(Promise.all(all));
    assert.deepEqual(scene.runtime.breaches, []);
  });
});
