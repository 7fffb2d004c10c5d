import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { usageStoreConformance } from '../../test/conformance/usage-store.ts';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/log.ts';
import { openSqliteStore } from './sqlite-store.ts';

usageStoreConformance({
  name: 'SQLite',
  newPlace: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fulcrum-store-'));
    return {
      place: join(folder, 'store.db'),
      clear: () => rm(folder, { recursive: true, force: true }),
    };
  },
  open: (path) => openSqliteStore({ path, clock: systemClock, logger: silentLogger }),
  writer: new URL('../../test/conformance/usage-store-writer-sqlite.ts', import.meta.url),
});
