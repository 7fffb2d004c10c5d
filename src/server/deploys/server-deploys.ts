import { appId } from '../../base/app-id.ts';
import type { Clock } from '../../base/clock.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { DeployOrder, Deploys, DeployStep } from '../../control/host-port.ts';
import type { LogBook } from '../../control/log-book.ts';
import type { ChosenLimits } from '../../model/app.ts';
import type { AppChanges, AppRecord, ChosenMode } from '../../model/app-record.ts';
import type { Release, ReleaseFailure, ReleaseManifest } from '../../model/release.ts';
import { checkManifest } from '../../release/manifest.ts';
import { takeBlobs } from '../../release/take-blobs.ts';
import type { Store } from '../../store/store.ts';
import { baseEnv } from '../base-env.ts';
import type { Host } from '../host.ts';
import type { LiveRelease } from '../live-release.ts';
import { refuseWithoutSecrets } from '../release-secrets.ts';
import type { RunningApp } from '../running-app.ts';
import { changeRecord, recordOf } from './app-records.ts';
import { chosenByHand, refuseChosenByHand } from './chosen-modes.ts';
import { BehindWork } from './behind-work.ts';
import { bringUp, NotUp, toldOf } from './bring-up.ts';
import type { Busy } from './busy.ts';
import { checkCanaryPlan } from './canary-plan.ts';
import { Canaries } from './canaries.ts';
import { canaryPercent } from './canary-step.ts';
import { changeRouted } from './change-routed.ts';
import { Claims, type Claim } from './claims.ts';
import { commit, OutcomeUnknown } from './commit.ts';
import { failureOf } from './failure.ts';
import type { EarlierServers } from './held-trees.ts';
import type { ReleaseFiles } from './release-files.ts';
import type { RouteTable } from './route-table.ts';
import { previousRelease, refuseMissing, releaseOf } from './releases.ts';
import { readRouting, type Routing } from './routing.ts';
import { refuseBesideCanary, servesNothing } from './refusals.ts';
import { Retirement } from './retirement.ts';
import { Steps } from './steps.ts';
import { refuseStorageOverlap } from './storage-overlap.ts';
import { Sweeper } from './sweeper.ts';
import { tellFit } from './tell-fit.ts';
import { tellSwitches } from './tell-switches.ts';
import { UploadQuota } from './upload-quota.ts';

export interface ServerDeploysOptions {
  readonly host: Host;
  readonly store: Pick<Store, 'apps' | 'releases' | 'blobs' | 'audit'>;
  readonly routes: RouteTable;
  readonly files: ReleaseFiles;
  readonly busy: Busy;
  readonly earlier: EarlierServers;
  /** Those that an app has. */
  readonly secretNames: (app: string) => Promise<ReadonlySet<string>>;
}

const MOST_LISTED = 100;

/**
 * Deploys, rollbacks and canaries of all apps of a server. The store says what serves, and is written before the gateway is told: what was
 * reported done is so after a restart as well. What was begun goes on when whoever asked for it leaves.
 */
export class ServerDeploys implements Deploys {
  readonly #o: ServerDeploysOptions;
  readonly #clock: Clock;
  readonly #log: LogBook;
  readonly #logger: Logger;
  readonly #behind: BehindWork;
  readonly #sweeper: Sweeper;
  readonly #quota: UploadQuota;
  readonly #claims: Claims;
  readonly #retirement: Retirement;
  readonly canaries: Canaries;

  constructor(options: ServerDeploysOptions) {
    this.#o = options;
    this.#clock = options.host.clock;
    this.#log = options.host.log;
    this.#logger = options.host.logger;
    this.#claims = new Claims(options.store.apps);
    this.#behind = new BehindWork();
    this.#sweeper = new Sweeper({ ...options, behind: this.#behind });
    this.#quota = new UploadQuota(options.store.blobs, () => options.files.freeBytes());
    const [clock, logger, sweeper] = [this.#clock, this.#logger, this.#sweeper];
    const retirement = (this.#retirement = new Retirement(this.#behind, clock));
    this.canaries = new Canaries({
      ...{ ...options, retirement, sweeper, clock, logger },
      bringUp: (app, record, release) => this.#bringUp(app, record, release, silent(clock), false),
      promote: (app, canary) => this.#serve(app, canary, { serving: canary.number, canary: null }, PROVED),
    });
  }

  async setRouting(app: string, routing: Routing): Promise<AppRecord> {
    const wanted = readRouting(routing);
    return await this.#o.busy.run(app, 'changes the routing of', 'somebody', async () => {
      const { store, routes, host } = this.#o;
      await recordOf(store.apps, app);
      const claim = { app, routing: wanted, isAdmin: true };
      const { apps } = store;
      return await this.#claims.decide(claim, () => changeRouted({ apps, routes, host }, app, () => wanted));
    });
  }

  async removeApp(app: string): Promise<void> {
    await this.#o.busy.run(app, 'removes', 'somebody', async () => {
      const { store, host, routes, files } = this.#o;
      await recordOf(store.apps, app);
      // What is gone from the store does not come back with a restart, whatever happens now.
      const forget = (): Promise<void> =>
        this.#claims.decide(null, async () => {
          await store.apps.remove(app);
          routes.remove(app);
        });
      await files.removeWith(app, forget, async () => {
        const running = host.apps.get(app);
        await Promise.all((running?.live ?? []).map((release) => running!.retire(release)));
        await host.removeApp(app, 0);
      });
      this.#sweeper.sweepFiles();
    });
  }

  async missingBlobs(digests: readonly string[]): Promise<readonly string[]> {
    return await this.#o.store.blobs.missing(digests);
  }

  async putBlobs(tar: AsyncIterable<Uint8Array>): Promise<{ readonly stored: number }> {
    try {
      return await takeBlobs(tar, this.#quota);
    } catch (error) {
      await this.#sweeper.makeRoom();
      throw error;
    }
  }

  async deploy(order: DeployOrder, onStep: (step: DeployStep) => void): Promise<Release> {
    const steps = new Steps(this.#clock, onStep);
    try {
      steps.begin('check');
      const manifest = checkManifest(order.manifest);
      const id = appId(manifest.app, manifest.environment);
      return await this.#o.busy.run(id, 'deploys', order.by, () =>
        this.#deploy(id, { ...order, manifest }, steps),
      );
    } catch (error) {
      steps.giveUp(error);
      await this.#sweeper.makeRoom();
      throw error;
    }
  }

  async rollback(
    app: string,
    to: number | null,
    by: string,
    onStep: (step: DeployStep) => void,
  ): Promise<Release> {
    const steps = new Steps(this.#clock, onStep);
    try {
      return await this.#o.busy.run(app, 'rolls back', by, () => this.#rollback(app, to, by, steps));
    } catch (error) {
      steps.giveUp(error);
      throw error;
    }
  }

  async reload(app: string, by: string, onStep: (step: DeployStep) => void): Promise<Release> {
    const steps = new Steps(this.#clock, onStep);
    try {
      return await this.#o.busy.run(app, 'reloads', by, async () => {
        steps.begin('check');
        const record = await recordOf(this.#o.store.apps, app);
        refuseBesideCanary(record);
        if (record.serving === null) throw servesNothing(app);
        const release = await releaseOf(this.#o.store.releases, app, record.serving);
        steps.done('check', `release ${release.number}`);
        return await this.#replace(record, release, steps);
      });
    } catch (error) {
      steps.giveUp(error);
      throw error;
    }
  }

  async releases(app: string, before: number | null, limit: number): Promise<readonly Release[]> {
    return await this.#o.store.releases.list(app, before, limit);
  }

  async release(app: string, number: number): Promise<Release | null> {
    return await this.#o.store.releases.get(app, number);
  }

  async endCanary(app: string, how: 'promote' | 'abort', by: string): Promise<AppRecord> {
    return await this.canaries.end(app, how, by);
  }

  /**
   * Starts what the store says serves, and routes to it. For the server's start: nothing has to be proved again, functions start with
   * their first request. Rejects with {@link NotUp} or `store-failed`; then nothing serves.
   */
  async start(id: string): Promise<void> {
    await this.#o.busy.runOwn(id, 'starts', async () => {
      const record = await this.#o.store.apps.get(id);
      if (record === null || record.serving === null) return;
      const app = this.appOf(record);
      if (app.serving === null) {
        // Before anything is started: what clashes with another app cannot serve, however often it is tried.
        this.#o.routes.set(app, record);
        const release = await releaseOf(this.#o.store.releases, id, record.serving);
        app.serve(await this.#bringUp(app, record, release, silent(this.#clock), false));
        this.#o.routes.set(app, record);
      }
      if (record.canary !== null && app.canary === null) await this.canaries.start(app, record);
    });
  }

  /** Releases that were being deployed when the server ended: nobody waits for them any more. */
  async failUnfinished(record: AppRecord): Promise<void> {
    const { releases } = this.#o.store;
    for (const { number, state } of await releases.list(record.id, null, MOST_LISTED)) {
      if (state !== 'uploaded' || this.#o.busy.has(record.id)) continue;
      await releases.setState(record.id, number, 'failed', {
        code: 'shutting-down',
        message: 'The server ended while this release was being deployed.',
        component: null,
        log: [],
      });
    }
  }

  /** Removes files that no release names any more; for a timer. */
  sweepFiles(): void {
    this.#sweeper.sweepFiles();
  }

  /** Resolves when nothing goes on any more behind what has been answered. */
  async settled(): Promise<void> {
    await this.#behind.settled();
  }

  async #deploy(id: string, order: DeployOrder, steps: Steps): Promise<Release> {
    const { store } = this.#o;
    const { manifest, canary } = order;
    if (canary !== null) checkCanaryPlan(canary);
    const before = await store.apps.get(id);
    if (before !== null) refuseBesideCanary(before);
    if (canary !== null && (before === null || before.serving === null)) {
      throw new FulcrumError(
        'bad-request',
        `Nothing of ${id} serves yet that a canary could stand beside. Deploy it without one first.`,
      );
    }
    const routing =
      order.routing === null ? (before ?? { hosts: [], prefix: '' }) : readRouting(order.routing);
    const claim = { app: id, routing, isAdmin: order.isAdmin };
    await this.#claims.check(claim);
    refuseWithoutSecrets(id, manifest, await this.#o.secretNames(id));
    await refuseMissing(store.blobs, manifest);
    await refuseStorageOverlap(store.releases, id, manifest, this.#o.host.apps.get(id)?.live ?? []);
    steps.done('check');

    steps.begin('keep');
    const record = before ?? (await this.#claims.decide(claim, () => this.#create(id, manifest, routing)));
    const { note, by: createdBy } = order;
    const createdAtMs = this.#clock.nowMs();
    const release = await store.releases.add({ app: id, manifest, createdAtMs, createdBy, note });
    steps.done('keep', `release ${release.number}`);

    const { number } = release;
    const app = this.appOf(record);
    const live = await this.#bringUpOrFail(app, record, release, steps, canary === null);
    const commits = { claim, proves: number };
    await this.#unlessRouted(app, live, async () => {
      steps.begin('route');
      const { hosts, prefix } = routing;
      if (canary === null) {
        await this.#serve(app, live, { serving: number, canary: null, hosts, prefix }, commits);
        steps.done('route', 'all clients');
      } else {
        const { steps: shares, everyMs, maxErrors } = canary;
        const stepBeganAtMs = this.#clock.nowMs();
        const kept = { release: number, steps: shares, everyMs, maxErrors, step: 0, stepBeganAtMs };
        await this.#tryOut(app, live, { canary: kept, hosts, prefix }, commits);
        steps.done('route', `${canaryPercent(kept)} % of the clients`);
      }
    }).catch(async (error: unknown) => {
      // Where nobody knows what the store has, nothing more is written: it may be that it serves after a restart.
      if (!(error instanceof OutcomeUnknown))
        await this.#markFailed(id, number, failureOf({ error, component: null, log: [], prepared: null }));
      throw error;
    });
    await this.#retirement.watched(app, steps);
    tellFit(live, this.#o.host.budget, steps, canary !== null);
    await tellSwitches({ spec: live.spec, switches: live.switches, steps, clock: this.#clock });
    await this.#sweeper.sweep(id);
    return (await store.releases.get(id, number)) ?? release;
  }

  async #rollback(id: string, to: number | null, by: string, steps: Steps): Promise<Release> {
    const { store } = this.#o;
    steps.begin('check');
    let record = await recordOf(store.apps, id);
    if (record.serving === null) throw servesNothing(id);
    if (record.canary !== null) {
      record = await this.canaries.takeBack(id, `${by} rolled back`);
      if (to === null || to === record.serving) {
        steps.done('check', `the canary went back; release ${record.serving} serves all clients`);
        return await releaseOf(this.#o.store.releases, id, record.serving!);
      }
    }
    const release =
      to === null
        ? await previousRelease(store.releases, id, record.serving!)
        : await releaseOf(this.#o.store.releases, id, to);
    if (release.number === record.serving) {
      throw new FulcrumError('bad-request', `Release ${release.number} of ${id} serves already.`);
    }
    if (release.state !== 'healthy') {
      throw new FulcrumError(
        'bad-request',
        `Release ${release.number} of ${id} is not known to be sound (${release.state}): only one that has come up can be gone back to.`,
      );
    }
    steps.done('check', `release ${release.number}`);
    return await this.#replace(record, release, steps);
  }

  /** Starts a release that has been healthy before, and gives it all the traffic. */
  async #replace(record: AppRecord, release: Release, steps: Steps): Promise<Release> {
    const { number } = release;
    const app = this.appOf(record);
    const live = await this.#bringUp(app, record, release, steps, true, true).catch((error: unknown) => {
      throw error instanceof NotUp ? toldOf(app.id, release, error) : error;
    });
    await this.#unlessRouted(app, live, async () => {
      steps.begin('route');
      await this.#serve(app, live, { serving: number, canary: null }, PROVED);
      steps.done('route', 'all clients');
    });
    await this.#retirement.watched(app, steps);
    await this.#sweeper.sweep(app.id);
    return release;
  }

  async #create(id: string, { app, environment }: ReleaseManifest, routing: Routing): Promise<AppRecord> {
    const aside = await this.#o.files.setAside(id);
    if (aside !== null)
      this.#logger.warn({ app: id, aside }, 'what lay here under the name of a new app was set aside');
    const { hosts, prefix } = routing;
    const createdAtMs = this.#clock.nowMs();
    const start = { serving: null, canary: null, modes: {}, limits: {} };
    return await this.#o.store.apps.create({
      id,
      name: app,
      environment,
      hosts,
      prefix,
      createdAtMs,
      ...start,
    });
  }

  /** What runs of an app on this server, or could. */
  appOf({ id, environment, limits }: AppRecord): RunningApp {
    return this.#o.host.addApp(id, baseEnv({}, environment), limits);
  }

  async #bringUp(
    app: RunningApp,
    record: AppRecord,
    release: Release,
    steps: Steps,
    prove: boolean,
    takesOver = false,
  ): Promise<LiveRelease> {
    const { files } = this.#o;
    const nowMs = this.#clock.nowMs();
    return await bringUp({ app, record, release, files, log: this.#log, nowMs, steps, prove, takesOver });
  }

  async #bringUpOrFail(
    app: RunningApp,
    record: AppRecord,
    release: Release,
    steps: Steps,
    takesOver: boolean,
  ): Promise<LiveRelease> {
    try {
      return await this.#bringUp(app, record, release, steps, true, takesOver);
    } catch (error) {
      if (!(error instanceof NotUp)) throw error;
      await this.#markFailed(app.id, release.number, error.failure);
      await this.#sweeper.sweep(app.id);
      throw toldOf(app.id, release, error);
    }
  }

  async #markFailed(id: string, number: number, failure: ReleaseFailure): Promise<void> {
    await this.#o.store.releases.setState(id, number, 'failed', failure).catch((error: unknown) => {
      this.#logger.error({ app: id, release: number, error }, 'that a release failed could not be kept');
    });
  }

  /** Ends `live` where `work` fails before anything was routed to it. */
  async #unlessRouted(app: RunningApp, live: LiveRelease, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (app.serving !== live && app.canary !== live) await app.abandon(live);
      throw error;
    }
  }

  async #serve(app: RunningApp, live: LiveRelease, changes: AppChanges, commits: Commits): Promise<void> {
    await this.#commit(app, live, changes, commits, () => app.serve(live));
  }

  async #tryOut(app: RunningApp, live: LiveRelease, changes: AppChanges, commits: Commits): Promise<void> {
    await this.#commit(app, live, changes, commits, () => app.setCanary(live));
  }

  async #commit(
    app: RunningApp,
    live: LiveRelease,
    changes: AppChanges,
    commits: Commits,
    route: () => void,
  ): Promise<void> {
    const { store, routes } = this.#o;
    const [clock, claims] = [this.#clock, this.#claims];
    await commit({ store, routes, clock, claims, app, live, changes, ...commits, route });
  }

  /** Keeps a mode that was chosen by hand, for releases to come and for the next start. */
  async keepMode(app: string, component: string, mode: ChosenMode): Promise<void> {
    await changeRecord(this.#o.store.apps, app, ({ modes }) => ({ modes: { ...modes, [component]: mode } }));
  }

  /** Keeps what `auto` means, likewise. Rejects with `conflict` where a mode was chosen by hand meanwhile, which stays. */
  async keepAuto(app: string, unit: string, mode: ChosenMode): Promise<void> {
    await changeRecord(this.#o.store.apps, app, ({ modes }) => {
      refuseChosenByHand(modes, unit, mode);
      return { modes: { ...modes, [unit]: mode } };
    });
  }

  /** See {@link chosenByHand}. */
  async chosenByHand(
    app: string,
    unit: string,
    present: Pick<ChosenMode, 'configured' | 'isGroup'>,
  ): Promise<ChosenMode | null> {
    return chosenByHand((await recordOf(this.#o.store.apps, app)).modes, unit, present);
  }

  /** Keeps limits that were chosen by hand, likewise; null: what was kept is taken back. */
  async keepLimits(app: string, component: string, choice: ChosenLimits | null): Promise<void> {
    await changeRecord(this.#o.store.apps, app, (record) => {
      const limits = { ...record.limits };
      if (choice === null) delete limits[component];
      else limits[component] = choice;
      return { limits };
    });
  }
}

/** How a release comes to be routed to: see `commit.ts`. */
interface Commits {
  readonly claim: Claim | null;
  readonly proves: number | null;
}

/** A release that has been sound before, and stays where its app answers. */
const PROVED: Commits = { claim: null, proves: null };

/** Of what nobody watches. */
function silent(clock: Clock): Steps {
  return new Steps(clock, () => undefined);
}
