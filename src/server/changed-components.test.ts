import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GroupRevision, ModuleRevision, Revision } from '../model/revision.ts';
import { changedComponents } from './changed-components.ts';

function one(name: string, id = '1', envDigest = ''): ModuleRevision {
  return { kind: 'module', id, envDigest, spec: { kind: 'module', name } } as unknown as ModuleRevision;
}

function group(name: string, id: string, ...members: ModuleRevision[]): GroupRevision {
  const spec = { kind: 'group', name, members: members.map((member) => member.spec) };
  return { kind: 'group', id, envDigest: '', spec, members } as unknown as GroupRevision;
}

function of(...units: Revision[]): { revisions: Map<string, Revision> } {
  return { revisions: new Map(units.map((unit) => [unit.spec.name, unit])) };
}

test('by itself a component has changed with its revision or with a secret', () => {
  const before = of(one('a'), one('b'), one('c'));
  assert.deepEqual(changedComponents(before, of(one('a'), one('b', '2'), one('c', '1', 'other'), one('d'))), [
    'b',
    'c',
    'd',
  ]);
  assert.deepEqual(changedComponents(before, before), []);
});

test('of a group those members are told of that are another version', () => {
  const before = of(group('core', 'x', one('a'), one('b')), one('c'));
  assert.deepEqual(changedComponents(before, of(group('core', 'y', one('a'), one('b', '2')), one('c'))), [
    'b',
  ]);
  // Who joins runs elsewhere than before; who was there already goes on with the same code.
  assert.deepEqual(changedComponents(before, of(group('core', 'y', one('a'), one('b'), one('c')))), ['c']);
  // Only what they share is different.
  assert.deepEqual(changedComponents(before, of(group('core', 'y', one('a'), one('b')), one('c'))), [
    'a',
    'b',
  ]);
});

test('who leaves a group has changed, and those who stay have not', () => {
  const before = of(group('core', 'x', one('a'), one('b'), one('c')));
  assert.deepEqual(changedComponents(before, of(group('core', 'y', one('a'), one('b')), one('c'))), ['c']);
});

test('who is put together or taken apart has changed', () => {
  const [joined, apart] = [
    of(group('core', 'x', one('a'), one('b')), one('c')),
    of(one('a'), one('b'), one('c')),
  ];
  assert.deepEqual(changedComponents(apart, joined), ['a', 'b']);
  assert.deepEqual(changedComponents(joined, apart), ['a', 'b']);
});
