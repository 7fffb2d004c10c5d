import { backupSuite } from './backup-suite.ts';
import { postgresUnderTest } from './support/postgres-under-test.ts';
import { sqliteUnderTest } from './support/sqlite-under-test.ts';

const postgres = await postgresUnderTest();
backupSuite(sqliteUnderTest, [sqliteUnderTest, postgres]);
backupSuite(postgres, [sqliteUnderTest, postgres]);
