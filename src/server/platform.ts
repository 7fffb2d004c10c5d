import { FulcrumError } from '../base/errors.ts';
import { secretToken } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import type { LogBook } from '../control/log-book.ts';
import { registerServer } from '../control/registry.ts';
import { ControlServer } from '../control/server.ts';
import { Gateway } from '../gateway/gateway.ts';
import { appId } from '../base/app-id.ts';
import type { Caller } from '../model/calls.ts';
import type { Scaler } from '../scaling/scaler.ts';
import { AppControl } from './app-control.ts';
import { firstFree } from './first-free.ts';
import { Host, type HostOptions } from './host.ts';
import type { LiveRelease } from './live-release.ts';
import type { Prepared } from './prepare.ts';
import type { RunningApp } from './running-app.ts';
import { singleAppHost } from './single-app-host.ts';

export interface PlatformOptions extends HostOptions {
  /** Nobody else can be using the same data directory: what was left leased there is delivered again at once. */
  readonly isAlone: boolean;
  /** Tells timings in every answer. */
  readonly serverTiming: boolean;
}

export interface ListenOptions {
  /** Tried in this order until one is free; 0 lets the system choose. */
  readonly gatewayPorts: readonly number[];
  /** Likewise; null: no admin API over HTTP. */
  readonly adminPorts: readonly number[] | null;
  readonly host: string;
}

export interface Addresses {
  readonly gatewayUrl: string;
  readonly gatewayPort: number;
  /** With a token; null where there is no admin API over HTTP. */
  readonly adminLink: string | null;
  readonly adminUrl: string | null;
}

/**
 * One app that is deployed in place: what `fulcrum dev` and `fulcrum/testing` run. Here is where to start reading: what a request
 * meets, in order, is `gateway` → `dispatcher` → `scaler` → a runtime's instance, and then `meter`. A server of many apps and
 * releases (`server.ts`) has the same parts, with the last four once for each release.
 */
export class Platform {
  readonly #options: PlatformOptions;
  readonly #host: Host;
  readonly #token = secretToken();
  /** From the first deploy on: what the app is called is known only then. */
  #parts: Parts | null = null;
  #addresses: Addresses | null = null;
  #unregister: (() => Promise<void>) | null = null;

  static async start(options: PlatformOptions): Promise<Platform> {
    return new Platform(options, await Host.open(options));
  }

  private constructor(options: PlatformOptions, host: Host) {
    this.#options = options;
    this.#host = host;
  }

  get log(): LogBook {
    return this.#host.log;
  }

  get logger(): Logger {
    return this.#host.logger;
  }

  get control(): AppControl {
    return this.#begun.control;
  }

  get scaler(): Scaler {
    return this.#begun.release.scaler;
  }

  get caller(): Caller {
    return this.#begun.release.caller;
  }

  /**
   * Makes `prepared` the app that serves: instances first, then the route table. A failure changes nothing.
   * @param options `inspect` a component, wherever it runs, or a group.
   */
  async deploy(
    prepared: Prepared,
    options: { inspect?: { component: string; port: number } | null } = {},
  ): Promise<void> {
    this.#parts ??= this.#begin(prepared);
    const { app, release, gateway, control } = this.#parts;
    await release.deploy(prepared, options);
    app.serve(release);
    gateway.setApps([{ id: app.id, hosts: [], prefix: '', serving: release.routed, canary: null }]);
    control.deployed();
    // From the first on: until then nothing serves that could take what is kept.
    await this.#host.events.begin({ isAlone: this.#options.isAlone, sharesStore: () => false });
  }

  /** Opens the doors: the gateway, the admin API and the socket that the CLI uses. */
  async listen(options: ListenOptions): Promise<Addresses> {
    const { gateway, control, controlServer } = this.#begun;
    const listened = await firstFree(options.gatewayPorts, (port) =>
      gateway.listen({ port, host: options.host }),
    );
    const { socketPath } = this.#host.socket;
    const admin = await firstFree(options.adminPorts ?? [null], (httpPort) =>
      controlServer.listen({ httpPort, host: '127.0.0.1', socketPath }),
    );
    control.setGatewayUrl(listened.url);
    this.#addresses = {
      gatewayUrl: listened.url,
      gatewayPort: listened.port,
      adminUrl: admin.url,
      adminLink: admin.url === null ? null : `${admin.url}/?token=${this.#token}`,
    };
    return this.#addresses;
  }

  /** Writes the server down where the CLI of this user looks for it. Needs `listen` and a deploy before. */
  async register(): Promise<void> {
    const app = this.control.app();
    this.#unregister = await registerServer({
      ...this.#host.socket,
      pid: process.pid,
      kind: 'dev',
      appName: app.name,
      directory: app.directory,
      adminUrl: this.#addresses?.adminUrl ?? null,
      gatewayUrl: app.gatewayUrl,
      startedAtMs: app.startedAtMs,
    });
  }

  /**
   * Ends everything: no new requests, those in flight finish within `drainMs`, then instances, sockets and files go.
   * What fails on the way is logged and does not keep the rest from being ended.
   */
  async close(drainMs: number): Promise<void> {
    await this.#unregister?.().catch(() => undefined);
    await this.#host.close(drainMs, {
      closeGateway: async (ms) => this.#parts?.gateway.close(ms),
      closeControl: async () => this.#parts?.controlServer.close(),
    });
  }

  get #begun(): Parts {
    if (this.#parts === null) throw new FulcrumError('internal', 'Nothing has been deployed yet.');
    return this.#parts;
  }

  #begin({ app: { name, environment } }: Prepared): Parts {
    const { clock, log, logger, engines, store } = this.#host;
    const app = this.#host.addApp(appId(name, environment));
    const release = app.newRelease(null);
    const gateway = new Gateway({
      clock,
      logger,
      log,
      serverTiming: this.#options.serverTiming,
      trustedProxies: [],
    });
    const control = new AppControl({ app, engines, logs: log, clock, modes: store.modes });
    const controlServer = new ControlServer({
      host: singleAppHost(control, this.#host.budget),
      clock,
      logger,
      ownToken: this.#token,
      tokens: null,
      audit: null,
      secrets: null,
    });
    return { app, release, gateway, control, controlServer };
  }
}

interface Parts {
  readonly app: RunningApp;
  readonly release: LiveRelease;
  readonly gateway: Gateway;
  readonly control: AppControl;
  readonly controlServer: ControlServer;
}
