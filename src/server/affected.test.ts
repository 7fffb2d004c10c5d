import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Revision } from '../model/revision.ts';
import { affectedBy } from './affected.ts';

const module_ = (name: string, sources: string[], storage: string[] = []): Revision =>
  ({ kind: 'module', bundle: { sources }, spec: { name, storage } }) as unknown as Revision;
const command = (name: string, cwd: string): Revision =>
  ({ kind: 'command', spec: { name, cwd, storage: [] } }) as unknown as Revision;
const group = (...members: Revision[]): Revision =>
  ({ kind: 'group', members, spec: { storage: [] } }) as unknown as Revision;

const prepared = {
  configSources: new Set(['/app/fulcrum.config.ts', '/app/.env']),
  revisions: new Map([
    ['a', module_('a', ['/app/a.ts', '/app/shared.ts'])],
    ['b', module_('b', ['/app/b.ts', '/app/shared.ts'], ['/app/old/data'])],
    ['old', command('old', '/app/old')],
    ['core', group(module_('c', ['/app/c.ts']), module_('d', ['/app/d.ts', '/app/shared.ts']))],
  ]),
};

test('a change means the components that are made of the file, or everything where the config is', () => {
  const table: [string[], 'config' | string[]][] = [
    [['/app/a.ts'], ['a']],
    [['/app/shared.ts'], ['a', 'b', 'd']],
    [['/app/c.ts'], ['c']],
    [['/app/a.ts', '/app/.env'], 'config'],
    [['/app/fulcrum.config.ts'], 'config'],
    [['/app/unrelated.ts'], []],
    [['/app/old/server.js'], ['old']],
    [
      ['/app/old/lib/deep.js', '/app/b.ts'],
      ['old', 'b'],
    ],
    [['/app/older/server.js'], []],
    [['/app/old/node_modules/x/index.js'], []],
    [['/app/old/.cache/x'], []],
    [['/app/old/data/orders.db'], []],
    [['/app/old/app.log'], []],
    [['/app/old/cache.json'], []],
    [['/app/old/package.json'], ['old']],
  ];
  for (const [paths, expected] of table) {
    const affected = affectedBy(new Set(paths), prepared);
    assert.deepEqual(affected === 'config' ? affected : [...affected], expected, paths.join());
  }
});
