import { asClause } from '../../base/clause.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { AppChanges, AppRecord } from '../../model/app-record.ts';
import type { Release } from '../../model/release.ts';
import type { Store } from '../../store/store.ts';
import type { Host } from '../host.ts';
import type { LiveRelease } from '../live-release.ts';
import type { RunningApp } from '../running-app.ts';
import { changeRecord, recordOf } from './app-records.ts';
import type { Busy } from './busy.ts';
import { canaryPercent } from './canary-step.ts';
import { changeRouted } from './change-routed.ts';
import { noCanary } from './refusals.ts';
import { releaseOf } from './releases.ts';
import type { Retirement } from './retirement.ts';
import type { RouteTable } from './route-table.ts';
import type { Sweeper } from './sweeper.ts';

export interface CanariesOptions {
  readonly host: Pick<Host, 'apps'>;
  readonly store: Pick<Store, 'apps' | 'releases' | 'audit'>;
  readonly routes: RouteTable;
  readonly busy: Busy;
  readonly retirement: Retirement;
  readonly sweeper: Sweeper;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Starts a release that has been proved. */
  readonly bringUp: (app: RunningApp, record: AppRecord, release: Release) => Promise<LiveRelease>;
  /** Has a canary serve all clients, in the store first. */
  readonly promote: (app: RunningApp, canary: LiveRelease) => Promise<void>;
}

/** What becomes of canaries once they are tried out: other shares, all clients, or back. */
export class Canaries {
  readonly #o: CanariesOptions;
  /** Why the canary of an app did not start, while another server still decides what becomes of it. */
  readonly #notUp = new Map<string, string>();
  /** A server that `follows` another prepares to take its place, and changes nothing that is kept. */
  #role: 'follows' | 'leads' = 'follows';

  constructor(options: CanariesOptions) {
    this.#o = options;
  }

  /** Ends one for whoever asks for it. */
  async end(app: string, how: 'promote' | 'abort', by: string): Promise<AppRecord> {
    const what = how === 'promote' ? 'promotes the canary of' : 'takes back the canary of';
    return await this.#o.busy.run(app, what, by, async () =>
      how === 'promote' ? await this.#promote(app) : await this.takeBack(app, `${by} took it back`),
    );
  }

  /** The canary's next share; for its loop. Nothing where it has ended meanwhile. */
  async step(app: string, release: number, step: number): Promise<void> {
    await this.#o.busy.runOwn(app, 'moves the canary of', async () => {
      const nowMs = this.#o.clock.nowMs();
      await this.#change(app, ({ canary }) =>
        canary?.release === release ? { canary: { ...canary, step, stepBeganAtMs: nowMs } } : null,
      );
      await this.#audit(app, 'canary.step', { release, step });
    });
  }

  /** Ends a canary as its loop has decided. */
  async settle(app: string, how: 'promote' | { readonly why: string }): Promise<void> {
    const { busy } = this.#o;
    const what = 'settles the canary of';
    if (how === 'promote') {
      await busy.runOwn(app, what, async () => {
        const { serving } = await this.#promote(app);
        await this.#audit(app, 'canary.promote', { release: serving });
      });
    } else {
      // It hurts clients now: it does not wait for the end of a restart.
      await busy.runThoughHeld(app, what, 'the server', async () => {
        await this.takeBack(app, how.why);
        await this.#audit(app, 'canary.abort', { why: how.why });
      });
    }
  }

  /** Starts one again with its server. Never rejects for what is the canary's fault. */
  async start(app: RunningApp, record: AppRecord): Promise<void> {
    const canary = record.canary!;
    try {
      const release = await releaseOf(this.#o.store.releases, app.id, canary.release);
      app.setCanary(await this.#o.bringUp(app, record, release));
      this.#o.routes.set(app, record);
    } catch (error) {
      this.#notUp.set(app.id, error instanceof Error ? error.message : 'it did not start again');
    }
    if (this.#role === 'leads') await this.#settleStarted(app);
  }

  /** Before the doors are opened: has what is routed to be what the store says now. The server before this one may have taken a canary back. */
  async catchUp(): Promise<void> {
    const { store, host, routes } = this.#o;
    for (const record of await store.apps.list()) {
      const app = host.apps.get(record.id);
      if (app === undefined || app.canary === null || app.canary.number === record.canary?.release) continue;
      app.setCanary(null);
      routes.set(app, record);
      this.#o.retirement.others(app);
    }
  }

  /** From now on this server is the one that changes what is kept. Never rejects. */
  async lead(): Promise<void> {
    this.#role = 'leads';
    const { host, busy } = this.#o;
    for (const app of host.apps.values()) {
      if (app.canary === null && !this.#notUp.has(app.id)) continue;
      await busy
        .runOwn(app.id, 'settles the canary of', () => this.#settleStarted(app))
        .catch((error: unknown) => {
          this.#o.logger.error(
            { app: app.id, error },
            'a canary could not be taken over from the server before',
          );
        });
    }
  }

  async #change(id: string, changes: (record: AppRecord) => AppChanges | null): Promise<AppRecord> {
    const { store, routes, host } = this.#o;
    return await changeRouted({ apps: store.apps, routes, host }, id, changes);
  }

  async #promote(id: string): Promise<AppRecord> {
    const app = this.#o.host.apps.get(id);
    const canary = app?.canary ?? null;
    const record = await recordOf(this.#o.store.apps, id);
    if (app === undefined || canary === null || record.canary?.release !== canary.number) throw noCanary(id);
    await this.#o.promote(app, canary);
    this.#o.retirement.others(app);
    await this.#o.sweeper.sweep(id);
    this.#o.logger.info({ app: id, release: canary.number }, 'the canary serves all clients');
    return await recordOf(this.#o.store.apps, id);
  }

  /** Has all clients go to what served before, and tells of the canary that it failed. Within the app's turn. */
  async takeBack(id: string, why: string): Promise<AppRecord> {
    const { store, host, routes } = this.#o;
    const present = await recordOf(store.apps, id);
    const app = host.apps.get(id);
    const stop = (record: AppRecord): AppRecord => {
      app?.setCanary(null);
      if (app !== undefined) {
        routes.set(app, record);
        this.#o.retirement.others(app);
      }
      return record;
    };
    const { canary } = present;
    if (canary === null) {
      // It went back before, and the store could not say that it had kept that.
      if ((app?.canary ?? null) !== null) return stop(present);
      throw noCanary(id);
    }
    const { release } = canary;
    const message = `The canary went back at ${canaryPercent(canary)} %: ${asClause(why)}.`;
    const failure = { code: 'deploy-failed', message, component: null, log: [] };
    const failed = { number: release, state: 'failed', failure } as const;
    const record = stop(await changeRecord(store.apps, id, () => ({ canary: null }), failed));
    this.#o.logger.warn({ app: id, release }, message);
    return record;
  }

  /** What a canary that was started again, or was not, means for what is kept. */
  async #settleStarted(app: RunningApp): Promise<void> {
    const why = this.#notUp.get(app.id);
    this.#notUp.delete(app.id);
    if (why !== undefined) {
      // The server before this one may have taken it back itself.
      const { canary } = await recordOf(this.#o.store.apps, app.id);
      if (canary !== null) await this.takeBack(app.id, why);
      return;
    }
    // Time in which nobody counted does not count.
    const stepBeganAtMs = this.#o.clock.nowMs();
    await this.#change(app.id, ({ canary: kept }) =>
      kept !== null && kept.release === app.canary?.number ? { canary: { ...kept, stepBeganAtMs } } : null,
    );
  }

  /** What the server does by itself. What people ask for is written down where they ask. */
  async #audit(app: string, action: string, details: Readonly<Record<string, unknown>>): Promise<void> {
    const entry = {
      atMs: this.#o.clock.nowMs(),
      actor: 'server',
      action,
      app,
      outcome: 'ok',
      details,
    } as const;
    await this.#o.store.audit.append(entry).catch((error: unknown) => {
      this.#o.logger.error({ app, action, error }, 'a change could not be written into the log of changes');
    });
  }
}
