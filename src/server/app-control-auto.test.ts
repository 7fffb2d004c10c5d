import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FulcrumError } from '../base/errors.ts';
import type { ChosenMode } from '../model/app-record.ts';
import type { ModeSetting } from '../model/app.ts';
import type { ModeFinding } from '../model/mode-check.ts';
import type { AutoState } from '../model/mode-history.ts';
import { Scene, revision } from '../scaling/testing/scene.ts';
import { AppControl } from './app-control.ts';
import type { RunningApp } from './running-app.ts';

interface Held {
  control: AppControl;
  scene: Scene;
  /** What is kept of it. */
  kept: Record<string, ChosenMode>;
  findings: ModeFinding[];
  app: { canary: object | null };
  forgotten: AutoState[];
}

async function held(mode: ModeSetting): Promise<Held> {
  const shop = revision('shop', { mode });
  const scene = await Scene.of(shop);
  const findings: ModeFinding[] = [];
  const kept: Record<string, ChosenMode> = {};
  const forgotten: AutoState[] = [];
  const app = {
    id: 'a',
    serving: {
      scaler: scene.scaler,
      spec: { components: new Map([['shop', shop.spec]]), groups: new Map() },
      choice: (unit: string) => scene.scaler.choice(unit),
      revision: () => shop,
    },
    canary: null,
    checks: {
      check: (_: unknown, from: string, to: string) =>
        Promise.resolve({ component: 'shop', from, to, findings }),
    },
  };
  const control = new AppControl({
    app: app as unknown as RunningApp,
    engines: {} as never,
    logs: {} as never,
    clock: scene.clock,
    keepMode: (unit, choice) => {
      kept[unit] = choice;
      return Promise.resolve();
    },
    kept: {
      chosenByHand: (unit) => {
        const found = kept[unit];
        return Promise.resolve(found === undefined || found.chosen === 'auto' ? null : found);
      },
      keepAuto: (unit, choice) => {
        const found = kept[unit];
        if (found !== undefined && found.chosen !== 'auto')
          return Promise.reject(new FulcrumError('conflict', 'By hand.'));
        kept[unit] = choice;
        return Promise.resolve();
      },
    },
    modes: {
      append: (_, __, states) => {
        forgotten.push(...states);
        return Promise.resolve();
      },
      steps: () => Promise.resolve([]),
    },
  });
  return { control, scene, kept, findings, app, forgotten };
}

test('what auto decides is kept as auto', async () => {
  const { control, scene, kept } = await held('auto');
  await scene.meanwhile(control.switchAuto('shop', 'service', true));
  assert.deepEqual(kept['shop'], { configured: 'auto', chosen: 'auto', mode: 'service' });
  assert.equal(scene.scaler.mode('shop'), 'service');
});

test('a mode that a person chooses while auto makes up its mind holds', async () => {
  const { control, scene, kept, forgotten } = await held('auto');
  const byHand = control.setMode('shop', 'function', { force: true });
  const auto = control.switchAuto('shop', 'service', true);
  await Promise.all([scene.meanwhile(byHand), assert.rejects(scene.meanwhile(auto), { code: 'conflict' })]);
  assert.deepEqual(
    [scene.scaler.mode('shop'), scene.scaler.choice('shop')!.chosen],
    ['function', 'function'],
  );
  assert.equal(kept['shop']!.chosen, 'function');
  assert.deepEqual(
    forgotten.map(({ unit, state }) => [unit, state]),
    [['shop', '']],
  );
});

test('one that was chosen at another server is followed, whatever auto wants', async () => {
  const { control, scene, kept } = await held('auto');
  kept['shop'] = { configured: 'auto', chosen: 'service', mode: 'service' };
  await assert.rejects(scene.meanwhile(control.switchAuto('shop', 'function', true)), { code: 'conflict' });
  assert.deepEqual([scene.scaler.mode('shop'), scene.scaler.choice('shop')!.chosen], ['service', 'service']);
  assert.equal(kept['shop'].chosen, 'service');
});

test('one that is chosen at another server while it is switched here is not overwritten', async () => {
  const { control, scene, kept } = await held('auto');
  const auto = control.switchAuto('shop', 'service', true);
  // It has been looked up already; the replica is still starting.
  await scene.pass(5);
  kept['shop'] = { configured: 'auto', chosen: 'function', mode: 'function' };
  await assert.rejects(scene.meanwhile(auto), { code: 'conflict' });
  assert.equal(kept['shop'].chosen, 'function');
  assert.equal(scene.scaler.mode('shop'), 'function');
});

test('auto switches nothing beside a canary, nor code that has been found to break', async () => {
  const { control, scene, app, findings } = await held('auto');
  app.canary = {};
  await assert.rejects(control.switchAuto('shop', 'service', true), { code: 'conflict' });
  app.canary = null;
  findings.push({
    severity: 'warning',
    file: 'a.ts',
    line: 1,
    member: null,
    message: 'State.',
  } as ModeFinding);
  await assert.rejects(control.switchAuto('shop', 'service', true), { code: 'switch-unsafe' });
  assert.equal(scene.scaler.mode('shop'), 'function');
});
