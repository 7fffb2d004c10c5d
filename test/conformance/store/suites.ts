import { appsSuite } from './apps-suite.ts';
import { auditSuite } from './audit-suite.ts';
import { blobsSuite } from './blobs-suite.ts';
import { crashSuite, eventsCrashSuite } from './crash-suite.ts';
import { eventsSuite } from './events-suite.ts';
import { meteringSuite } from './metering-suite.ts';
import { modesSuite } from './modes-suite.ts';
import { releasesSuite } from './releases-suite.ts';
import { secretsSuite } from './secrets-suite.ts';
import { schedulesSuite } from './schedules-suite.ts';
import type { StoreUnderTest } from './support/store-under-test.ts';
import { tokensSuite } from './tokens-suite.ts';
import { usageSuite } from './usage-suite.ts';

/** Everything that a store must do, whichever it is. */
export function storeConformance(subject: StoreUnderTest): void {
  for (const suite of [
    appsSuite,
    releasesSuite,
    blobsSuite,
    tokensSuite,
    secretsSuite,
    auditSuite,
    usageSuite,
    meteringSuite,
    schedulesSuite,
    modesSuite,
    eventsSuite,
    crashSuite,
    eventsCrashSuite,
  ]) {
    suite(subject);
  }
}
