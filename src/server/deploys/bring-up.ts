import { FulcrumError, messageOf } from '../../base/errors.ts';
import type { LogReader } from '../../control/log-book.ts';
import type { AppRecord } from '../../model/app-record.ts';
import type { LogEntry } from '../../model/log.ts';
import type { Release, ReleaseFailure } from '../../model/release.ts';
import { membersOf } from '../../model/units.ts';
import type { LiveRelease } from '../live-release.ts';
import type { Prepared } from '../prepare.ts';
import type { RunningApp } from '../running-app.ts';
import { chosenModes } from './chosen-modes.ts';
import { deployFailed, failureOf, isToldAsItIs } from './failure.ts';
import type { ReleaseFiles } from './release-files.ts';
import type { Steps } from './steps.ts';

export interface BringUpOptions {
  readonly app: RunningApp;
  readonly record: AppRecord;
  readonly release: Release;
  readonly files: ReleaseFiles;
  readonly log: LogReader;
  readonly nowMs: number;
  readonly steps: Steps;
  /** Every component must show that it can start, functions too. */
  readonly prove: boolean;
  /** It is to have all clients of the release that serves at once, and begins with as many replicas as that has. */
  readonly takesOver: boolean;
}

/** A release did not come up: what is known of it goes with the error. */
export class NotUp extends Error {
  readonly failure: ReleaseFailure;

  constructor(failure: ReleaseFailure, cause: unknown) {
    super(failure.message, { cause });
    this.failure = failure;
  }
}

/** Enough for what failed last. */
const LOG_LINES = 50;

/**
 * Takes a release from what is kept of it to running instances that nothing is routed to yet. Rejects with {@link NotUp}, and then
 * nothing is left of it.
 */
export async function bringUp(o: BringUpOptions): Promise<LiveRelease> {
  const { app, record, release, files, steps } = o;
  let prepared: Prepared | null = null;
  let failed: string | null = null;
  let live: LiveRelease | null = null;
  try {
    steps.begin('unpack');
    prepared = await files.prepare(release);
    steps.done('unpack');
    steps.begin('start');
    live = app.newRelease(release.number);
    await live.deploy(prepared, {
      prove: o.prove,
      replicas: (component) => (o.takesOver ? (app.serving?.scaler.readyReplicas(component) ?? 0) : 0),
      modes: chosenModes(record.modes, prepared.app),
      onProgress: (component, state) => {
        if (state === 'begun') steps.begin('start', component);
        else if (state === 'ready') steps.done('start', '', component);
        // Those that are given up because of the first have nothing to say.
        else if (state.code === 'shutting-down') steps.skipped('start', component);
        else {
          failed ??= component;
          steps.failed('start', component, state);
        }
      },
    });
    steps.done('start');
    return live;
  } catch (error) {
    const component = failed;
    const log = component === null ? [] : linesOf(component, prepared, o);
    if (live !== null) await app.abandon(live);
    throw new NotUp(failureOf({ error, component, log, prepared }), error);
  }
}

/** What a unit has said since: of a group, its members too, under whose names their lines are. */
function linesOf(unit: string, prepared: Prepared | null, { app, log, nowMs }: BringUpOptions): LogEntry[] {
  const spec = prepared?.revisions.get(unit)?.spec;
  const names = new Set([unit, ...(spec === undefined ? [] : membersOf(spec))]);
  return [...names]
    .flatMap((component) => log.query({ app: app.id, component, sinceMs: nowMs, limit: LOG_LINES }))
    .toSorted((a, b) => a.atMs - b.atMs);
}

/** What the server itself says of an app that it could not start. */
export function reasonOf(error: unknown): string {
  if (error instanceof NotUp) return error.failure.message;
  return error instanceof FulcrumError ? `${error.code}: ${error.message}` : messageOf(error);
}

/** What whoever asked for `release` is told: what is for them to mend before anything is started as what it is, all else as a failed deploy. */
export function toldOf(app: string, release: Release, { failure, cause }: NotUp): unknown {
  return isToldAsItIs(cause) ? cause : deployFailed(app, release, failure, cause);
}
