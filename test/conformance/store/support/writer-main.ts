import { writeEvents, writeServerThings } from '../crash-suite.ts';
import { writeUsage } from '../usage-suite.ts';
import { openPlace } from './store-under-test.ts';

/** Run in a process of its own, which is killed: writes for ever and prints the number of each write that was acknowledged. */
const [, , kind, place, from] = process.argv;
const store = await openPlace(place!);
if (kind === 'usage') await writeUsage(store.usage, Number(from));
else if (kind === 'events') await writeEvents(store, Number(from));
else await writeServerThings(store, Number(from));
