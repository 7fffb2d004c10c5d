import assert from 'node:assert/strict';
import { globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/log.ts';
import { probeMachine } from '../runtime/sandbox/probe.ts';
import { Engines } from './engines.ts';

const { ffi } = await probeMachine();

test(
  'what is open is closed where the rest cannot be',
  { skip: ffi ? false : 'no sandboxes here' },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'fulcrum-engines-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(join(folder, 'sandbox'));
    // In the place of a folder that the sandboxes need.
    writeFileSync(join(folder, 'sandbox', 'tmp'), '');
    const opening = Engines.open({
      clock: systemClock,
      logger: silentLogger,
      baseEnv: { PATH: '/usr/bin:/bin' },
      socketPath: join(folder, 'wire', 's'),
      compileCacheFolder: join(folder, 'compiled'),
      dataDirectory: join(folder, 'data'),
      sandboxFolder: join(folder, 'sandbox'),
    });
    await assert.rejects(opening, { code: 'EEXIST' });
    // The cache is closed once what fills it has ended, and it says then that it is filled.
    assert.equal(globSync(join(folder, 'compiled', 'instances', 'instances-*')).length, 1);
  },
);
