import { once } from 'node:events';
import { systemClock } from '../../../../src/base/clock.ts';
import { messageOf } from '../../../../src/base/errors.ts';
import { silentLogger } from '../../../../src/base/log.ts';
import { openStore } from '../../../../src/store/open-store.ts';
import { isPostgresUrl } from '../../../../src/store/postgres-url.ts';

/** Says that it is there, waits for a word, opens the store, and tells how many migrations it made. */
const place = process.argv[2]!;
process.stdout.write('ready\n');
await once(process.stdin, 'data');
let migrated = 0;
let failed: string | null = null;
try {
  const store = await openStore({
    databaseUrl: isPostgresUrl(place) ? place : null,
    path: place,
    clock: systemClock,
    logger: {
      ...silentLogger,
      info: (fields) => (migrated += (fields as { migrated: string[] }).migrated.length),
    },
  });
  await store.apps.list();
  await store.close();
} catch (error) {
  failed = messageOf(error);
}
process.stdout.write(`${JSON.stringify({ migrated, error: failed })}\n`);
