import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { writeUntilKilled } from './usage-store.ts';

/** Run by the conformance suite in a process of its own, which it kills. */
const [, , path, from] = process.argv;
const store = await openSqliteStore({ path: path!, clock: systemClock, logger: silentLogger });
await writeUntilKilled(store.usage, Number(from));
