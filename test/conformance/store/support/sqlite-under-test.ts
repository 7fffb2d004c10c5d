import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPlace, type StoreUnderTest } from './store-under-test.ts';

export const sqliteUnderTest: StoreUnderTest = {
  name: 'SQLite',
  skip: null,
  newPlace: async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fulcrum-store-'));
    return {
      place: join(folder, 'store.db'),
      clear: () => rm(folder, { recursive: true, force: true }),
    };
  },
  open: openPlace,
};
