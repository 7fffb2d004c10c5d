import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { canBeOwned, mappedNamespace } from './owned-files.ts';
import { probeMachine } from './probe.ts';

const machine = await probeMachine();
const skip = machine.ffi && machine.capabilities.administrate ? false : 'only root can mount so';

test('a file system that maps owners is told from one that does not', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fulcrum-owned-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const namespace = await mappedNamespace({ uid: 0, gid: 0 }, 1_900_000_009);
  t.after(() => closeSync(namespace));
  assert.equal(await canBeOwned('/proc', namespace), false);
  assert.equal(await canBeOwned(join(folder, 'nothing'), namespace), false);
  if (!(await canBeOwned(folder, namespace))) t.diagnostic('the temporary folder is on one that does not');
});

test('a namespace that cannot be made is an error with its reason', { skip }, async () => {
  await assert.rejects(mappedNamespace({ uid: 0, gid: 0 }, -5), { code: 'EINVAL' });
});
