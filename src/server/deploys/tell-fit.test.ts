import assert from 'node:assert/strict';
import { test } from 'node:test';
import { revision } from '../../scaling/testing/scene.ts';
import { tellFit } from './tell-fit.ts';

test('a deploy tells that the next one will have no room beside it, but not while it is a canary', () => {
  const { spec } = revision('web', { mode: 'service', service: { memoryBytes: 600 } });
  const release = { spec: { components: new Map([['web', spec]]), groups: new Map() }, choice: () => null };
  const budget = { status: { memoryBytes: 1_000 }, elasticBytes: 400 };
  const told = (isCanary: boolean): string[] => {
    const said: string[] = [];
    const steps = { begin: () => undefined, done: (_: string, text: string) => said.push(text) };
    tellFit(release as never, budget as never, steps, isCanary);
    return said;
  };
  assert.match(told(false).join(), /^web: the next release needs 600 B.* leaves 400 B: it will be refused$/);
  assert.deepEqual(told(true), []);
});
