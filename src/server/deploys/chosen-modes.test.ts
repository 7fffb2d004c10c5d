import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupSpec } from '../../model/app.ts';
import { chosenByHand, chosenModes } from './chosen-modes.ts';

test('what was chosen for a group is not for a component of its name, nor the other way round', () => {
  const chosen = { configured: 'function', chosen: 'service', mode: 'service' } as const;
  const modes = { core: { ...chosen, isGroup: true }, cart: chosen };
  const named = (...groups: readonly string[]): string[] => [
    ...chosenModes(modes, { groups: new Map(groups.map((name) => [name, {} as GroupSpec])) }).keys(),
  ];
  assert.deepEqual(named('core'), ['core', 'cart']);
  assert.deepEqual(named(), ['cart']);
  assert.deepEqual(named('core', 'cart'), ['core']);
});

test('what one server was told by hand holds against auto of another, unless it was said of something else', () => {
  const byHand = { configured: 'auto', chosen: 'service', mode: 'service' } as const;
  const auto = { configured: 'auto', chosen: 'auto', mode: 'function' } as const;
  assert.equal(chosenByHand({ cart: byHand }, 'cart', auto), byHand);
  assert.equal(chosenByHand({ cart: byHand }, 'toString', auto), null);
  assert.equal(chosenByHand({ cart: auto }, 'cart', auto), null);
  assert.equal(chosenByHand({ cart: { ...byHand, configured: 'function' } }, 'cart', auto), null);
  assert.equal(chosenByHand({ cart: { ...byHand, isGroup: true } }, 'cart', auto), null);
});
