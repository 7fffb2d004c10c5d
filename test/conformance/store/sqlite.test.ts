import { storeConformance } from './suites.ts';
import { sqliteUnderTest } from './support/sqlite-under-test.ts';

storeConformance(sqliteUnderTest);
