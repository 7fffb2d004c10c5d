import { storeConformance } from './suites.ts';
import { postgresUnderTest } from './support/postgres-under-test.ts';

storeConformance(await postgresUnderTest());
