import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { InvocationEnd } from '../model/invocation.ts';
import { Scene, revision, revisions } from './testing/scene.ts';

const FUNCTION = { memoryBytes: 1 };

function fn(name: string, o: NonNullable<Parameters<typeof revision>[1]>['function'] = {}, weight = 1) {
  return revision(name, { function: { ...FUNCTION, ...o }, weight });
}

function service(name: string, o: NonNullable<Parameters<typeof revision>[1]>['service'] = {}, id?: string) {
  return revision(name, {
    mode: 'service',
    service: { memoryBytes: 1, maxReplicas: o.minReplicas ?? 1, ...o },
    ...(id === undefined ? {} : { id }),
  });
}

const live = (scene: Scene, name: string): number =>
  scene.status(name).instances.filter(({ state }) => state === 'starting' || state === 'ready').length;

function send(scene: Scene, name: string, count: number, takesMs: number) {
  return Array.from({ length: count }, () => scene.send(name, takesMs));
}

describe('a machine whose memory is short', () => {
  it('holds no more than its budget, and serves whoever waits', async () => {
    const scene = await Scene.within({ memoryBytes: 4 }, fn('a'), fn('b'));
    const ends = await scene.meanwhile(
      Promise.all([...send(scene, 'a', 20, 30), ...send(scene, 'b', 20, 30)]),
    );
    assert.ok(ends.every(({ outcome }) => outcome === 'ok'));
    assert.equal(scene.runtime.mostBytes, 4);
  });

  it('takes from a flood what its neighbour is short of, as the present work ends', async () => {
    const scene = await Scene.within({ memoryBytes: 4 }, fn('flood'), fn('quiet'));
    const flood = send(scene, 'flood', 60, 50);
    await scene.pass(25);
    assert.equal(live(scene, 'flood'), 3, 'one is left for the first instance of the other');
    const ends = await scene.meanwhile(Promise.all(send(scene, 'quiet', 2, 100)), 190);
    assert.ok(ends.every(({ outcome }) => outcome === 'ok'));
    assert.ok(scene.story.some((text) => text.endsWith('ended: makes room for "quiet" (machine budget)')));
    await scene.meanwhile(Promise.all(flood));
    assert.deepEqual(scene.runtime.breaches, []);
  });

  it('is shared by weight', async () => {
    const scene = await Scene.within({ memoryBytes: 8 }, fn('a', {}, 1), fn('b', {}, 3));
    const all = [...send(scene, 'a', 100, 40), ...send(scene, 'b', 100, 40)];
    await scene.pass(400);
    assert.deepEqual([live(scene, 'a'), live(scene, 'b')], [2, 6]);
    await scene.meanwhile(Promise.all(all));
  });

  it('ends idle instances of who has more than a fair part first, and at once', async () => {
    const scene = await Scene.within({ memoryBytes: 4 }, fn('a', { keepAliveMs: 60_000 }), fn('b'));
    await scene.meanwhile(Promise.all(send(scene, 'a', 4, 10)));
    const busy = scene.send('a', 10_000);
    await scene.meanwhile(Promise.all(send(scene, 'b', 2, 10)), 60);
    assert.equal(live(scene, 'a'), 2);
    await scene.meanwhile(busy);
  });

  it('keeps room for services that functions never take', async () => {
    const scene = await Scene.within({ memoryBytes: 4 }, service('s', { minReplicas: 2 }), fn('a'));
    const flood = send(scene, 'a', 30, 20);
    await scene.pass(30);
    assert.equal(live(scene, 'a'), 2);
    scene.runtime.instances.find(({ mode }) => mode === 'service')!.crash();
    await scene.pass(20);
    assert.deepEqual(
      [live(scene, 's'), live(scene, 'a')],
      [1, 2],
      'what it will start again in has its room',
    );
    await scene.pass(5_000);
    assert.equal(live(scene, 's'), 2);
    await scene.meanwhile(Promise.all(flood));
    assert.ok(scene.runtime.mostBytes <= 4);
  });

  it('lets two that it cannot hold together take turns', async () => {
    const scene = await Scene.within(
      { memoryBytes: 3 },
      fn('a', { memoryBytes: 2 }),
      fn('b', { memoryBytes: 3 }),
    );
    const all = [...send(scene, 'a', 6, 10), ...send(scene, 'b', 6, 10)];
    const ends = await scene.meanwhile(Promise.all(all));
    assert.ok(ends.every(({ outcome }) => outcome === 'ok'));
    assert.ok(scene.runtime.mostBytes <= 3);
  });

  it('refuses at once what can never fit beside its services', async () => {
    const scene = await Scene.within(
      { memoryBytes: 3 },
      service('s', { minReplicas: 2 }),
      fn('a', { memoryBytes: 2 }),
    );
    const { outcome, error } = await scene.meanwhile(scene.send('a'), 50);
    assert.deepEqual([outcome, error?.code], ['refused', 'machine-full']);
  });

  it('replaces a failing replica first, where there is no room for both', async () => {
    const scene = await Scene.within(
      { memoryBytes: 2 },
      service('s', { minReplicas: 2, healthIntervalMs: 1_000 }),
    );
    scene.runtime.instances[0]!.health = 'bad';
    await scene.pass(20_000);
    assert.equal(live(scene, 's'), 2);
    assert.ok(scene.story.some((text) => text.includes('there is no room for another beside it')));
    assert.ok(scene.runtime.mostBytes <= 2);
  });
});

/** Invocations of `from` that each call `to` and wait for it. */
function calls(scene: Scene, from: string, to: string, count: number): Promise<InvocationEnd>[] {
  return Array.from({ length: count }, () =>
    scene.dispatcher.run(
      from,
      {
        ...{ requestId: '', traceparent: '', trigger: 'route' as const, signal: null, deadlineMs: null },
        ...{ client: null, affinityKey: null },
      },
      (_slot, { deadlineMs }) => scene.send(to, 5, { trigger: 'call', deadlineMs }),
    ),
  );
}

describe('functions that call each other on a full machine', () => {
  it('do not wait for each other for ever, from the first flood on', async () => {
    const scene = await Scene.within({ memoryBytes: 4, cpus: 1 }, fn('a'), fn('b'));
    const ends = await scene.meanwhile(Promise.all(calls(scene, 'a', 'b', 30)), 10_000);
    assert.ok(ends.every(({ outcome }) => outcome === 'ok'));
  });

  it('find room for the first instance of what has been called before', async () => {
    const scene = await Scene.within({ memoryBytes: 4 }, fn('a'), fn('b'));
    await scene.meanwhile(Promise.all(calls(scene, 'a', 'b', 1)));
    await scene.pass(5_000);
    assert.equal(scene.budget!.status.promisedBytes, 0);
    const ends = await scene.meanwhile(Promise.all(calls(scene, 'a', 'b', 30)), 10_000);
    assert.ok(ends.every(({ outcome }) => outcome === 'ok'));
    const alone = send(scene, 'a', 8, 50);
    await scene.pass(2_000);
    await scene.meanwhile(Promise.all(alone));
    assert.ok(scene.runtime.mostBytes <= 4);
  });
});

describe('a deploy on a full machine', () => {
  it('has functions give way for the replicas that take over', async () => {
    const scene = await Scene.within({ memoryBytes: 4 }, service('s', { minReplicas: 2 }), fn('a'));
    const flood = send(scene, 'a', 40, 20);
    await scene.pass(30);
    await scene.meanwhile(
      scene.scaler.deploy(revisions(service('s', { minReplicas: 2 }, 'bbbbbbbbbbbb'), fn('a'))),
    );
    const ends = await scene.meanwhile(Promise.all(flood));
    assert.ok(ends.every(({ outcome }) => outcome === 'ok'));
    assert.ok(scene.runtime.mostBytes <= 4);
    assert.ok(scene.story.some((text) => text.endsWith('makes room for "s" (machine budget)')));
  });

  it('fails, and changes nothing, where old and new never fit together', async () => {
    const scene = await Scene.within({ memoryBytes: 3 }, service('s', { minReplicas: 2 }), fn('a'));
    const started = scene.runtime.orders.length;
    const next = revisions(service('s', { minReplicas: 2 }, 'bbbbbbbbbbbb'), fn('a'));
    await assert.rejects(scene.meanwhile(scene.scaler.deploy(next)), {
      code: 'machine-full',
      details: { component: 's', neededBytes: 2, freeBytes: 1, budgetBytes: 3 },
    });
    assert.equal(scene.runtime.orders.length, started, 'nothing was started');
    assert.equal(scene.budget!.status.promisedBytes, 2);
    assert.equal((await scene.meanwhile(scene.send('s'))).outcome, 'ok');
  });

  it('is refused one instance that is larger than the budget', async () => {
    await assert.rejects(Scene.within({ memoryBytes: 3 }, fn('a', { memoryBytes: 4 })), {
      code: 'machine-full',
    });
  });

  it('gives up after a minute where room does not come', async () => {
    const scene = await Scene.within({ memoryBytes: 2 }, fn('a', { timeoutMs: 600_000 }));
    const long = send(scene, 'a', 2, 500_000);
    await scene.pass(50);
    const next = revisions(fn('a', { timeoutMs: 600_000 }), service('s'));
    await assert.rejects(scene.meanwhile(scene.scaler.deploy(next)), /within 60 s/);
    assert.equal(scene.budget!.status.keptBytes, 0);
    const ends = await scene.meanwhile(Promise.all(long));
    assert.ok(ends.every(({ outcome }) => outcome === 'ok'));
  });

  it('proves functions one after the other, where they do not fit together', async () => {
    const scene = new Scene({ memoryBytes: 20_000_000 });
    const all = ['a', 'b', 'c', 'd', 'e'].map((name) => fn(name, { memoryBytes: 10_000_000 }));
    await scene.meanwhile(scene.scaler.deploy(revisions(...all), { prove: true }));
    assert.equal(scene.runtime.orders.length, 5);
    assert.equal(scene.runtime.mostBytes, 20_000_000);
  });

  it('switches modes only where both fit', async () => {
    const both = (name: string) =>
      revision(name, { function: FUNCTION, service: { memoryBytes: 2, minReplicas: 1, maxReplicas: 1 } });
    const scene = await Scene.within({ memoryBytes: 3 }, both('a'), service('s'));
    await scene.meanwhile(scene.scaler.setMode('a', 'service'));
    await assert.rejects(scene.meanwhile(scene.scaler.setMode('a', 'function')), { code: 'machine-full' });
    assert.equal(scene.scaler.mode('a'), 'service');
  });
});

describe('starts', () => {
  it('are shared by all components of the machine', async () => {
    const scene = await Scene.within({ memoryBytes: 1_000, cpus: 2 }, fn('a'), fn('b'), fn('c'));
    let most = 0;
    scene.runtime.onStart = () => {
      most = Math.max(most, scene.runtime.starting + 1);
      return { takesMs: 20 };
    };
    const all = ['a', 'b', 'c'].flatMap((name) => send(scene, name, 12, 200));
    await scene.pass(45);
    assert.ok(live(scene, 'c') >= 2, 'nobody waits until others are done');
    const ends = await scene.meanwhile(Promise.all(all));
    assert.ok(ends.every(({ outcome }) => outcome === 'ok'));
    assert.ok(most <= 6 + 3, 'and one beside them of each that has none starting');
  });

  it('that are slow hold up their own component and no other', async () => {
    const scene = await Scene.within({ memoryBytes: 1_000, cpus: 2 }, fn('slow'), fn('cold'), fn('busy'));
    const all = send(scene, 'busy', 1, 9_000);
    await scene.pass(50);
    scene.runtime.onStart = ({ revision: { spec } }) => ({ takesMs: spec.name === 'slow' ? 7_000 : 20 });
    all.push(...send(scene, 'slow', 12, 100));
    await scene.pass(50);
    assert.equal(scene.runtime.starting, 6);
    await scene.meanwhile(Promise.all([scene.send('cold', 5), scene.send('busy', 5)]), 60);
    assert.ok((await scene.meanwhile(Promise.all(all), 30_000)).every(({ outcome }) => outcome === 'ok'));
  });

  it('of a deploy that proves many go beside those that are slow one after the other', async () => {
    const scene = await Scene.within({ memoryBytes: 1_000_000_000, cpus: 2 }, fn('slow'));
    scene.runtime.onStart = ({ revision: { spec } }) => ({ takesMs: spec.name === 'slow' ? 7_000 : 20 });
    const slow = send(scene, 'slow', 6, 100);
    await scene.pass(50);
    let most = 0;
    scene.runtime.onStart = () => {
      most = Math.max(most, scene.runtime.starting + 1);
      return { takesMs: 20 };
    };
    const many = Array.from({ length: 20 }, (_, i) => fn(`f${i}`, { memoryBytes: 10_000_000 }));
    await scene.meanwhile(scene.newScaler().deploy(revisions(...many), { prove: true }), 1_000);
    assert.equal(most, 7);
    await scene.meanwhile(Promise.all(slow));
  });

  it('of who has its part of the processors already wait while those are used up', async () => {
    const scene = await Scene.within({ memoryBytes: 1_000, cpus: 2 }, fn('flood'), fn('quiet'));
    const quiet = send(scene, 'quiet', 1, 3_000);
    await scene.pass(50);
    scene.cpuUsedUp = true;
    const flood = send(scene, 'flood', 40, 500);
    await scene.pass(400);
    assert.equal(live(scene, 'flood'), 5);
    scene.cpuUsedUp = false;
    await scene.pass(1_200);
    assert.ok(live(scene, 'flood') > 5);
    await scene.meanwhile(Promise.all([...quiet, ...flood]));
  });
});

describe('a machine that is short of memory although its budget is not', () => {
  const short = { availableBytes: 9, totalBytes: 100 };
  const well = { availableBytes: 50, totalBytes: 100 };

  it('ends idle instances, starts none, and goes on when it is over', async () => {
    const scene = await Scene.within(
      { memoryBytes: 100 },
      service('s'),
      fn('a', { keepAliveMs: 600_000 }),
      fn('b'),
    );
    scene.memory = well;
    await scene.meanwhile(Promise.all(send(scene, 'a', 8, 10)));
    const busy = scene.send('a', 5_000);
    scene.memory = short;
    await scene.pass(1_100);
    assert.equal(live(scene, 'a'), 6, 'a quarter of the idle');
    const waits = scene.send('b', 10);
    await scene.pass(1_500);
    assert.equal(live(scene, 'b'), 0);
    assert.equal(scene.status('b').queued, 1);
    assert.equal(live(scene, 's'), 1);
    scene.memory = well;
    assert.equal((await scene.meanwhile(waits, 1_500)).outcome, 'ok');
    await scene.meanwhile(busy);
    assert.ok(scene.story.some((text) => text.endsWith('ended: the machine is short of memory')));
  });

  it('has one function instance at a time where it stays so', async () => {
    const scene = await Scene.within({ memoryBytes: 100 }, fn('a'), fn('b'));
    scene.memory = short;
    await scene.meanwhile(scene.send('a', 2_000));
    const rest = [...send(scene, 'a', 2, 300), ...send(scene, 'b', 2, 300)];
    const ends = await scene.meanwhile(Promise.all(rest), 20_000);
    assert.ok(ends.every(({ outcome }) => outcome === 'ok'));
  });

  it('looks at its memory only while there are function instances', async () => {
    const scene = await Scene.within({ memoryBytes: 100 }, fn('a'));
    await scene.meanwhile(scene.send('a'));
    await scene.pass(40_000);
    assert.equal(scene.clock.pending, 0);
  });
});
