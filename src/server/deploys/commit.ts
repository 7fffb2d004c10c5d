import { sleep, type Clock } from '../../base/clock.ts';
import { FulcrumError, type ErrorCode } from '../../base/errors.ts';
import type { AppChanges, AppRecord, AppStore } from '../../model/app-record.ts';
import type { ReleaseChange } from '../../model/release.ts';
import type { LiveRelease } from '../live-release.ts';
import type { RunningApp } from '../running-app.ts';
import { modeOf } from '../../scaling/mode-settings.ts';
import { chosenModes } from './chosen-modes.ts';
import { changeRecord, placeOf, recordOf } from './app-records.ts';
import type { Claim, Claims } from './claims.ts';
import { failureOf } from './failure.ts';
import type { RouteTable } from './route-table.ts';

export interface CommitOptions {
  readonly store: { readonly apps: AppStore };
  readonly routes: Pick<RouteTable, 'set'>;
  readonly claims: Claims;
  readonly clock: Clock;
  readonly app: RunningApp;
  /** The release that is routed to from now on. */
  readonly live: LiveRelease;
  /** Of the app's record. */
  readonly changes: AppChanges;
  /** Set where `changes` say where it answers. */
  readonly claim: Claim | null;
  /** The number of the release where it has not been known to be sound yet: from now on it is. */
  readonly proves: number | null;
  /** Has the app know of it. */
  readonly route: () => void;
}

/** The store did not say whether it has kept what was to be kept, and could not be asked again: after a restart either may serve. */
export class OutcomeUnknown extends FulcrumError {}

/** A database that was lost for a moment is there again, and says what it has kept. */
const ASK_AGAIN = 5;
const ASK_AGAIN_MS = 500;

/**
 * Writes what serves down, then has it so. A release is sound from the moment at which it serves, not before. Where the gateway refuses, all
 * is as before, and the release has failed. Rejects with {@link OutcomeUnknown} where only a restart will show which one serves then.
 */
export async function commit(o: CommitOptions): Promise<void> {
  // Modes may have been set by hand while it started.
  await followModes(o.live, await recordOf(o.store.apps, o.app.id));
  await o.claims.decide(o.claim, () => write(o));
}

async function write(o: CommitOptions): Promise<void> {
  const { store, routes, app, changes, proves, route } = o;
  let before: AppRecord | null = null;
  const sound = proves === null ? undefined : ({ number: proves, state: 'healthy', failure: null } as const);
  const wanted = (present: AppRecord): AppChanges => {
    before = present;
    return changes;
  };
  const record = await changeRecord(store.apps, app.id, wanted, sound).catch(async (error: unknown) => {
    if (before === null || !isCode(error, 'store-failed')) throw error;
    const kept = await keptAfterAll(o, before, error);
    if (kept === null) throw error;
    return kept;
  });
  const { serving, canary } = app;
  try {
    route();
    routes.set(app, record);
  } catch (error) {
    app.restore(serving, canary);
    await changeRecord(store.apps, app.id, () => placeOf(before!), failed(proves, error));
    throw error;
  }
}

/** What the store has when it failed without saying whether it wrote: the record as it was asked for; null where it is as before. */
async function keptAfterAll(o: CommitOptions, before: AppRecord, error: unknown): Promise<AppRecord | null> {
  const { store, app, changes, proves, clock } = o;
  for (let asked = 1; ; asked++) {
    try {
      const record = await recordOf(store.apps, app.id);
      const isKept =
        record.version > before.version &&
        (changes.serving === undefined || record.serving === changes.serving) &&
        (changes.canary === undefined || record.canary?.release === changes.canary?.release);
      if (isKept) return record;
      // What is still on its way to the database finds another version than it was made for.
      await store.apps.update(app.id, record.version, {}, failed(proves, error));
      return null;
    } catch (again) {
      if (!isCode(again, 'store-failed') && !isCode(again, 'conflict')) throw error;
      if (asked === ASK_AGAIN) {
        const what = `The store failed while it was to keep that release ${o.live.number} of ${app.id} serves, and cannot be asked whether it has. What served before goes on; after a restart either may serve. Deploy again when the store is there.`;
        throw new OutcomeUnknown('store-failed', what, { cause: error });
      }
      await sleep(clock, ASK_AGAIN_MS);
    }
  }
}

function failed(number: number | null, error: unknown): ReleaseChange | undefined {
  if (number === null) return undefined;
  return { number, state: 'failed', failure: failureOf({ error, component: null, log: [], prepared: null }) };
}

function isCode(error: unknown, code: ErrorCode): boolean {
  return error instanceof FulcrumError && error.code === code;
}

async function followModes(live: LiveRelease, record: AppRecord): Promise<void> {
  for (const [component, chosen] of chosenModes(record.modes, live.spec)) {
    const choice = live.choice(component);
    if (choice === null || choice.configured !== chosen.configured) continue;
    if (choice.chosen === chosen.chosen && modeOf(choice) === modeOf(chosen)) continue;
    await live.scaler.setMode(component, chosen.chosen, chosen.mode);
  }
}
