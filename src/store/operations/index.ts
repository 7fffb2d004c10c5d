import type { Operation } from '../operation.ts';
import { appOperations } from './apps.ts';
import { auditOperations } from './audit.ts';
import { blobOperations } from './blobs.ts';
import { copyOperations } from './copying.ts';
import { eventOperations } from './events.ts';
import { modeOperations } from './mode-history.ts';
import { releaseOperations } from './releases.ts';
import { scheduleOperations } from './schedules.ts';
import { secretOperations } from './secrets.ts';
import { tokenOperations } from './tokens.ts';
import { usageOperations } from './usage.ts';

/** All that a store can be asked for, whichever database it is. The asking side knows these by type only. */
export const operations = {
  ...appOperations,
  ...releaseOperations,
  ...blobOperations,
  ...tokenOperations,
  ...secretOperations,
  ...auditOperations,
  ...usageOperations,
  ...eventOperations,
  ...scheduleOperations,
  ...modeOperations,
  ...copyOperations,
};

type Operations = typeof operations;
export type OperationName = keyof Operations;
export type Argument<Name extends OperationName> =
  Operations[Name] extends Operation<infer A, infer _> ? A : never;
export type Result<Name extends OperationName> =
  Operations[Name] extends Operation<infer _, infer R> ? R : never;

/** A database that carries out operations. */
export interface Caller {
  /** Rejects with `store-failed`, or what the operation throws. */
  call<Name extends OperationName>(operation: Name, argument: Argument<Name>): Promise<Result<Name>>;
}
