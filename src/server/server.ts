/**
 * A server of many apps, each by its releases: `fulcrum serve`.
 *
 *   preparing ── apps are up, or have failed once ──▶ prepared ── open() ──▶ serving ── close() ──▶ ending ──▶ ended
 *        └───────────────────── close() ────────────────┴─────────────────────────────▶
 *
 * `prepared` is where a successor stands until the server before it lets it have the sockets.
 */
import { join } from 'node:path';
import type { Clock, Timer } from '../base/clock.ts';
import type { HostPort } from '../control/host-port.ts';
import { descriptorOf } from '../base/descriptor-of.ts';
import { FulcrumError } from '../base/errors.ts';
import { registerServer } from '../control/registry.ts';
import { ControlServer } from '../control/server.ts';
import { Gateway } from '../gateway/gateway.ts';
import type { ListenAt } from '../gateway/listening-socket.ts';
import { keyHolder, Vault } from '../secrets/vault.ts';
import { BlobCache } from '../store/blob-cache.ts';
import { AppControl } from './app-control.ts';
import { logOf } from './app-log.ts';
import { AppStarts } from './app-starts.ts';
import { budgetSize, NOTHING_ASKED } from './budget-size.ts';
import { AutoModes, type AutoModesOptions } from './auto-mode.ts';
import { Busy } from './deploys/busy.ts';
import { CanaryWatch } from './deploys/canary-watch.ts';
import { EarlierServers, heldBy, type HeldTrees } from './deploys/held-trees.ts';
import { ReleaseFiles } from './deploys/release-files.ts';
import { RouteTable } from './deploys/route-table.ts';
import { ServerDeploys } from './deploys/server-deploys.ts';
import { Host } from './host.ts';
import { PROCESS_NAME } from './process-name.ts';
import { secretUsers } from './release-secrets.ts';
import type { RunningApp } from './running-app.ts';
import type { Address, ServerOptions } from './server-options.ts';
import type { InheritedSocket } from './service-manager.ts';

export interface ServerParts {
  readonly options: ServerOptions;
  readonly clock: Clock;
  /** Whether another server still serves from the same data: then nothing is tidied up that may be its. */
  readonly isSuccessor: boolean;
  /** What the admin API may do with the process itself. */
  readonly stop: () => void;
  readonly restart: () => Promise<void>;
  /** How `mode: 'auto'` advises itself, where a test has it otherwise. */
  readonly auto?: Pick<AutoModesOptions, 'read' | 'books'>;
}

export interface ServerAddresses {
  readonly gatewayUrls: readonly string[];
  readonly adminUrl: string | null;
  readonly socketPath: string;
}

/** A listening socket to be passed on, and what it is for. */
export interface OpenSocket {
  readonly name: string;
  readonly fd: number;
}

/** In the data directory. */
const KEY_FILE = 'secrets.key';
const BLOB_FOLDER = 'blobs';
/** What was uploaded and never deployed goes by this. */
const SWEEP_EVERY_MS = 600_000;
/** So long a client that is about to ask may still do so on its connection, when the server ends. */
const IDLE_MS = 5_000;
const CUT_MS = 2_000;

export class FulcrumServer {
  readonly host: Host;
  readonly #parts: ServerParts;
  readonly #gateway: Gateway;
  readonly #routes: RouteTable;
  readonly #busy: Busy;
  readonly #files: ReleaseFiles;
  readonly #deploys: ServerDeploys;
  readonly #sweeping: Timer;
  readonly #starts: AppStarts;
  readonly #canaries: CanaryWatch;
  readonly #auto: AutoModes;
  readonly #control: ControlServer;
  readonly #earlier = new EarlierServers();
  readonly #controls = new Map<RunningApp, AppControl>();
  #state: 'preparing' | 'prepared' | 'serving' | 'ending' | 'ended' = 'preparing';
  #addresses: ServerAddresses | null = null;
  #unregister: (() => Promise<void>) | null = null;
  #closed: Promise<void> | null = null;

  /** Opens the store and brings every app up that serves. Rejects with `store-failed`, `config-invalid` or `internal`. */
  static async prepare(parts: ServerParts): Promise<FulcrumServer> {
    const { options, clock } = parts;
    const { dataDirectory, databaseUrl } = options;
    const environment = 'production';
    const host = await Host.open({
      ...{ dataDirectory, databaseUrl, environment, clock },
      processClock: clock,
      budget: budgetSize(options.budget ?? NOTHING_ASKED, 'serve'),
    });
    const { store, logger } = host;
    let server: FulcrumServer;
    try {
      const [vault, blobs] = await Promise.all([
        Vault.open({
          store: store.secrets,
          holder: keyHolder(process.env, join(dataDirectory, KEY_FILE)),
          mayMakeKey: databaseUrl === null || options.makeKey,
          clock,
          logger,
        }),
        BlobCache.open({ folder: join(dataDirectory, BLOB_FOLDER), blobs: store.blobs, clock, logger }),
      ]);
      server = new FulcrumServer(parts, host, vault, blobs);
    } catch (error) {
      await host.close(0, { closeGateway: () => Promise.resolve(), closeControl: () => Promise.resolve() });
      throw error;
    }
    try {
      await server.#prepare();
      return server;
    } catch (error) {
      await server.close(false);
      throw error;
    }
  }

  private constructor(parts: ServerParts, host: Host, vault: Vault, blobs: BlobCache) {
    this.#parts = parts;
    this.host = host;
    const { options } = parts;
    const { clock, log, logger, store } = host;
    const { trustedProxies, dataDirectory } = options;
    this.#gateway = new Gateway({ clock, logger, log, serverTiming: false, trustedProxies });
    this.#routes = new RouteTable(this.#gateway, log);
    this.#busy = new Busy(clock);
    const secretNames = async (app: string): Promise<string[]> =>
      (await vault.list(app)).map(({ name }) => name);
    this.#files = new ReleaseFiles({
      dataDirectory,
      blobs,
      secrets: async (app) => vault.values(app, await secretNames(app)),
    });
    const [routes, busy, files, earlier] = [this.#routes, this.#busy, this.#files, this.#earlier];
    this.#deploys = new ServerDeploys({
      ...{ host, store, routes, files, busy, earlier },
      secretNames: async (app) => new Set(await secretNames(app)),
    });
    this.#sweeping = clock.every(SWEEP_EVERY_MS, () => this.#deploys.sweepFiles());
    this.#starts = new AppStarts({ start: (app) => this.#deploys.start(app), clock, logger });
    const apps = (): Iterable<RunningApp> => host.apps.values();
    this.#canaries = new CanaryWatch({ apps, routes, canaries: this.#deploys.canaries, clock, logger });
    this.#auto = new AutoModes({
      ...parts.auto,
      apps,
      ...{ store: store.modes, usage: store.usage, node: PROCESS_NAME, clock, logger },
      switchUnit: async (app, unit, to, keep) => {
        const control = this.#controlOf(app);
        if (control === null) throw new FulcrumError('shutting-down', `'${app}' does not serve just now.`);
        await control.switchAuto(unit, to, keep);
      },
    });
    this.#control = new ControlServer({
      host: this.#port(),
      clock,
      logger,
      ownToken: null,
      tokens: store.tokens,
      audit: store.audit,
      secrets: vault,
      allowedHosts: options.adminHosts,
    });
  }

  /** Apps that should serve and have not come up, and why. */
  get failed(): ReadonlyMap<string, string> {
    return this.#starts.failed;
  }

  /** What is being changed just now, for people; null for nothing. */
  get work(): string | null {
    return this.#busy.describe();
  }

  get addresses(): ServerAddresses | null {
    return this.#addresses;
  }

  /** The sockets that are listened on, for a successor. */
  get sockets(): readonly OpenSocket[] {
    const { httpServer } = this.#control;
    return [
      ...this.#gateway.listening.map(({ kind, server }) => ({ name: kind, fd: descriptorOf(server) ?? -1 })),
      ...(httpServer === null ? [] : [{ name: 'admin', fd: descriptorOf(httpServer) ?? -1 }]),
    ];
  }

  /**
   * Refuses changes while a successor starts, which reads what serves; and takes them again where it does not come up. A canary whose requests
   * fail goes back all the same.
   */
  holdChanges(why: string | null): void {
    this.#busy.hold(why);
    if (why !== null || this.#state !== 'serving') return;
    this.#canaries.begin();
    this.#auto.begin();
    void this.#deliver();
  }

  /**
   * Before a successor is let serve: from then on it is the one that changes what is kept, and delivers it. Resolves when nothing here does;
   * what is under way here is settled here.
   */
  async restFromChanges(): Promise<void> {
    await Promise.all([this.#canaries.rest(), this.#auto.rest(), this.host.events.rest()]);
  }

  /** What this server, and those before it that still drain, use of the data. */
  get held(): readonly HeldTrees[] {
    return [...this.#earlier.living(), heldBy(this.host.apps.values())];
  }

  /** Keeps what servers before this one still use. */
  keepFor(held: readonly HeldTrees[]): void {
    this.#earlier.add(held);
  }

  /**
   * Opens the doors, and writes the server down where commands find it.
   * @param inherited sockets that listen already: by name, or without names the gateway's.
   * Rejects with `port-in-use`, `certificate-invalid` or `config-invalid`.
   */
  async open(inherited: readonly InheritedSocket[]): Promise<ServerAddresses> {
    const { http, https, redirects, admin, dataDirectory } = this.#parts.options;
    if (this.#parts.isSuccessor) await this.#deploys.canaries.catchUp();
    const given =
      inherited.length === 1 && inherited[0]!.name === '' ? [{ ...inherited[0]!, name: 'http' }] : inherited;
    const at = (name: string, address: Address): ListenAt => {
      const socket = given.find((each) => each.name === name || each.name === `fulcrum-${name}.socket`);
      return socket === undefined ? address : { fd: socket.fd };
    };
    const urls: string[] = [];
    if (https !== null) {
      const { certificates, hsts } = https;
      const { url, port } = await this.#gateway.listenTls({ at: at('https', https), certificates, hsts });
      urls.push(url);
      if (http !== null && redirects) await this.#gateway.listenRedirect(at('redirect', http), port);
    }
    if (http !== null && !(https !== null && redirects))
      urls.push((await this.#gateway.listen(at('http', http))).url);
    const { socketPath } = this.host.socket;
    const adminAt = admin === null ? null : at('admin', admin);
    const { url: adminUrl } = await this.#control.listen({
      httpPort: admin?.port ?? null,
      httpFd: adminAt !== null && 'fd' in adminAt ? adminAt.fd : undefined,
      host: admin?.host ?? '127.0.0.1',
      socketPath,
    });
    this.#addresses = { gatewayUrls: urls, adminUrl, socketPath };
    for (const control of this.#controls.values()) control.setGatewayUrl(urls[0] ?? '');
    this.#unregister = await registerServer({
      ...this.host.socket,
      pid: process.pid,
      kind: 'serve',
      appName: null,
      directory: dataDirectory,
      adminUrl,
      gatewayUrl: urls[0] ?? '',
      startedAtMs: this.host.clock.nowMs(),
    });
    this.#state = 'serving';
    return this.#addresses;
  }

  /** It serves, and nobody else changes what is kept. Never rejects. */
  async lead(): Promise<void> {
    if (this.#parts.isSuccessor) {
      await this.#deploys.canaries.lead();
      await this.#settleLeftovers();
    }
    if (this.#state !== 'serving') return;
    this.#canaries.begin();
    this.#auto.begin();
    await this.#deliver();
  }

  /** What is kept is delivered from here on. Servers on other machines, and one before this that still drains, publish into the same store. */
  async #deliver(): Promise<void> {
    const { isSuccessor, options } = this.#parts;
    const isShared = options.databaseUrl !== null;
    await this.host.events.begin({
      isAlone: !isShared && !isSuccessor,
      sharesStore: () => isShared || this.#earlier.living().length > 0,
    });
  }

  /** Nobody else serves from this data any more: what was left half-done is settled. Never rejects. */
  async #settleLeftovers(): Promise<void> {
    const { store, logger } = this.host;
    try {
      const records = await store.apps.list();
      await this.#files.settleRemovals(new Set(records.map(({ id }) => id)));
      for (const record of records) await this.#deploys.failUnfinished(record);
    } catch (error) {
      logger.warn({ error }, 'what an earlier server left half-done could not be settled');
    }
  }

  /** No longer found by commands: for when a successor is. */
  async unregister(): Promise<void> {
    await this.#unregister?.().catch(() => undefined);
    this.#unregister = null;
  }

  async reloadCertificates(): Promise<void> {
    await this.#gateway.reloadCertificates();
  }

  /**
   * Ends the server. No new connections; every request that a connection had begun is answered, streams and WebSockets are told to go.
   * @param drain false: at once. Never rejects.
   */
  close(drain: boolean): Promise<void> {
    this.#closed ??= this.#close(drain);
    return this.#closed;
  }

  async #prepare(): Promise<void> {
    const { host } = this;
    const records = (await host.store.apps.list()).filter(({ serving }) => serving !== null);
    for (const record of records) {
      try {
        this.#routes.set(this.#deploys.appOf(record), record);
      } catch {
        // Its start fails by the same, and tells it: the others are served.
      }
    }
    if (!this.#parts.isSuccessor) {
      await this.#deploys.canaries.lead();
      await this.#settleLeftovers();
    }
    await this.#starts.startAll(records.map(({ id }) => id));
    this.#state = 'prepared';
  }

  async #close(drain: boolean): Promise<void> {
    const wasServing = this.#state === 'serving';
    this.#state = 'ending';
    this.#sweeping.cancel();
    this.#busy.close();
    this.#starts.close();
    await Promise.all([this.#canaries.rest(), this.#auto.rest(), this.host.events.rest()]);
    await this.unregister();
    if (drain && wasServing) {
      await this.#gateway.releaseListening(IDLE_MS);
      const apps = [...this.host.apps.values()];
      await Promise.all(apps.flatMap((app) => app.live.map((release) => app.retire(release))));
      await this.#deploys.settled();
    }
    await this.host.close(drain && wasServing ? CUT_MS : 0, {
      closeGateway: (ms) => this.#gateway.close(ms),
      closeControl: () => this.#control.close(),
    });
    this.#state = 'ended';
  }

  #port(): HostPort {
    const { stop, restart } = this.#parts;
    return {
      apps: () => this.host.store.apps.list(),
      app: (id) => this.#controlOf(id),
      logs: (id) => logOf(this.host.log, id),
      startFailure: (id) => (this.#controlOf(id) === null ? this.#starts.failure(id) : null),
      secretUsers: (id, name) => secretUsers(this.host.store, id, name),
      deploys: this.#deploys,
      budget: () => this.host.budget.status,
      stop,
      restart,
    };
  }

  #controlOf(id: string): AppControl | null {
    const app = this.host.apps.get(id);
    if (app === undefined || app.serving === null) return null;
    let control = this.#controls.get(app);
    if (control === undefined) {
      for (const known of this.#controls.keys())
        if (this.host.apps.get(known.id) !== known) this.#controls.delete(known);
      const { engines, log, clock } = this.host;
      control = new AppControl({
        app,
        engines,
        logs: logOf(log, id),
        clock,
        mayChange: () => this.#busy.refuseWhenHeld(),
        keepMode: (component, mode) => this.#deploys.keepMode(id, component, mode),
        kept: {
          chosenByHand: (unit, present) => this.#deploys.chosenByHand(id, unit, present),
          keepAuto: (unit, mode) => this.#deploys.keepAuto(id, unit, mode),
        },
        modes: this.host.store.modes,
        keepLimits: (component, choice) => this.#deploys.keepLimits(id, component, choice),
      });
      control.setGatewayUrl(this.#addresses?.gatewayUrls[0] ?? '');
      this.#controls.set(app, control);
    }
    return control;
  }
}
