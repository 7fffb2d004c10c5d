import { test } from 'node:test';
import { systemClock } from '../../../../src/base/clock.ts';
import { silentLogger } from '../../../../src/base/log.ts';
import { openStore } from '../../../../src/store/open-store.ts';
import { isPostgresUrl } from '../../../../src/store/postgres-url.ts';
import type { Store } from '../../../../src/store/store.ts';

/** One implementation under test. A place says where a store is kept: a path, or a database's URL. */
export interface StoreUnderTest {
  readonly name: string;
  /** Why its tests cannot run here; null where they can. */
  readonly skip: string | null;
  /** A new and empty place, and how to clear it away. */
  newPlace(): Promise<{ readonly place: string; readonly clear: () => Promise<void> }>;
  open(place: string): Promise<Store>;
}

export function openPlace(place: string): Promise<Store> {
  return openStore({
    databaseUrl: isPostgresUrl(place) ? place : null,
    path: place,
    clock: systemClock,
    logger: silentLogger,
  });
}

/** Makes tests that are each given a new and empty store. */
export function checksOf(
  subject: StoreUnderTest,
): (name: string, body: (store: Store, place: string) => Promise<void>) => void {
  return (name, body) => {
    void test(`${subject.name}: ${name}`, { skip: subject.skip ?? false }, async () => {
      const { place, clear } = await subject.newPlace();
      const store = await subject.open(place);
      try {
        await body(store, place);
      } finally {
        await store.close();
        await clear();
      }
    });
  };
}
