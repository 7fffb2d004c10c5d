import { usage } from './0001-usage.ts';
import { server } from './0002-server.ts';
import { damagedBlobs } from './0003-damaged-blobs.ts';
import { limits } from './0004-limits.ts';
import { events } from './0005-events.ts';
import { schedules } from './0006-schedules.ts';
import { metering } from './0007-metering.ts';
import { modes } from './0008-modes.ts';
import type { Migration } from './migration.ts';

/** Every step, in order. */
export const migrations: readonly Migration[] = [
  usage,
  server,
  damagedBlobs,
  limits,
  events,
  schedules,
  metering,
  modes,
];
