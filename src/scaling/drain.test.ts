import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FulcrumError } from '../base/errors.ts';
import { revision, revisions, Scene } from './testing/scene.ts';

describe('Scaler.drain', () => {
  it('has every instance go once its work is done, and refuses nothing that still comes', async () => {
    const scene = await Scene.of(
      revision('web', { mode: 'service', service: { minReplicas: 2, maxReplicas: 2 } }),
      revision('sums'),
    );
    const stream = scene.send('web', 5_000);
    await scene.pass(1);
    await scene.meanwhile(scene.scaler.drain());
    // The free replica ends; the other finishes what it has.
    await scene.pass(100);
    assert.equal(scene.runtime.live.size, 1);
    // What the stream calls, and a request that was routed before the route table changed.
    assert.equal((await scene.meanwhile(scene.send('sums', 10, { trigger: 'call' }))).outcome, 'ok');
    assert.equal((await scene.meanwhile(scene.send('web', 10))).outcome, 'ok');
    assert.equal((await scene.meanwhile(stream)).outcome, 'ok');
    await scene.pass(5_000);
    assert.equal(scene.runtime.live.size, 0, 'what was started for a moment goes by itself');
    assert.deepEqual(scene.runtime.breaches, []);
    await scene.meanwhile(scene.scaler.close(0));
  });

  it('serves those who wait', async () => {
    const scene = await Scene.of(revision('sums', { function: { maxInstances: 1, concurrency: 1 } }));
    const sent = [1, 2, 3].map(() => scene.send('sums', 50));
    await scene.pass(1);
    await scene.meanwhile(scene.scaler.drain());
    const ends = await scene.meanwhile(Promise.all(sent));
    assert.deepEqual(
      ends.map(({ outcome }) => outcome),
      ['ok', 'ok', 'ok'],
    );
    await scene.meanwhile(scene.scaler.close(0));
  });
});

const ROOMY = { memoryBytes: 64 * 1024 * 1024 };

describe('a deploy that must prove itself', () => {
  it('starts one instance of every function too, and tells of each component', async () => {
    const scene = new Scene();
    const told: string[] = [];
    await scene.meanwhile(
      scene.scaler.deploy(
        revisions(
          revision('web', { mode: 'service', service: ROOMY }),
          revision('sums', { function: ROOMY }),
        ),
        {
          prove: true,
          onProgress: (component, state) =>
            told.push(`${component} ${typeof state === 'string' ? state : state.code}`),
        },
      ),
    );
    assert.equal(scene.runtime.orders.length, 2);
    assert.deepEqual(told.toSorted(), ['sums begun', 'sums ready', 'web begun', 'web ready']);
    await scene.meanwhile(scene.scaler.close(0));
  });

  it('fails with the component that did not start; without proof a function is not even tried', async () => {
    const scene = new Scene();
    scene.runtime.onStart = ({ revision: { spec } }) =>
      spec.name === 'sums' ? { takesMs: 5, fails: 'no luck' } : { takesMs: 20 };
    const failed: string[] = [];
    const onProgress = (component: string, state: string | FulcrumError): void => {
      if (typeof state !== 'string' && state.code !== 'shutting-down') failed.push(component);
    };
    const all = revisions(
      revision('web', { mode: 'service', service: ROOMY }),
      revision('sums', { function: ROOMY }),
    );
    await assert.rejects(scene.meanwhile(scene.scaler.deploy(all, { prove: true, onProgress })), /no luck/);
    assert.deepEqual(failed, ['sums']);
    await scene.pass(100);
    assert.equal(scene.runtime.live.size, 0);
    await scene.meanwhile(scene.scaler.deploy(all));
    await scene.meanwhile(scene.scaler.close(0));
  });

  it('fails where what has started holds more memory than it may', async () => {
    const scene = new Scene();
    const all = revisions(revision('web', { mode: 'service', service: { memoryBytes: 1_024 } }));
    await assert.rejects(scene.meanwhile(scene.scaler.deploy(all, { prove: true })), {
      code: 'memory-exceeded',
    });
    await scene.pass(100);
    assert.equal(scene.runtime.live.size, 0);
    await scene.meanwhile(scene.scaler.close(0));
  });

  it('takes modes that were chosen by hand, as long as the config says what it said then', async () => {
    const scene = new Scene();
    const modes = new Map([
      ['web', { configured: 'service', chosen: 'function' } as const],
      ['sums', { configured: 'auto', chosen: 'service' } as const],
    ]);
    await scene.meanwhile(
      scene.scaler.deploy(
        revisions(revision('web', { mode: 'service' }), revision('sums', { mode: 'function' })),
        { modes },
      ),
    );
    assert.equal(scene.scaler.mode('web'), 'function');
    assert.equal(scene.scaler.mode('sums'), 'function');
    await scene.meanwhile(scene.scaler.close(0));
  });
});
