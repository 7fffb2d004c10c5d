import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { FulcrumError, messageOf } from '../base/errors.ts';
import { secretToken } from '../base/ids.ts';
import type { Logger } from '../base/log.ts';
import { LogBook } from '../control/log-book.ts';
import { newServerSocket, registerServer, type ServerSocket } from '../control/registry.ts';
import { ControlServer } from '../control/server.ts';
import { tuneHeap } from './heap.ts';
import { unpackAccessLine } from '../gateway/access-line.ts';
import { Gateway } from '../gateway/gateway.ts';
import { UsageMeter } from '../meter/usage-meter.ts';
import type { Caller } from '../model/calls.ts';
import { createCaller } from '../scaling/caller.ts';
import { InvocationDispatcher } from '../scaling/dispatcher.ts';
import { Scaler } from '../scaling/scaler.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import type { Store } from '../store/store.ts';
import { AppControl } from './app-control.ts';
import { baseEnv } from './base-env.ts';
import { bookLogger } from './book-logger.ts';
import { deferredCaller } from './deferred-caller.ts';
import { Engines } from './engines.ts';
import { compileCacheFolder } from './places.ts';
import type { Prepared } from './prepare.ts';

export interface PlatformOptions {
  /** Where the store's file is. Created where it is missing. */
  readonly dataDirectory: string;
  readonly environment: string;
  /** What deadlines, keep-alive and health checks are measured by. */
  readonly clock: Clock;
  /** What processes are waited for by. The same as `clock`, but where a test holds that one still. */
  readonly processClock: Clock;
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

const LOG_ENTRIES = 20_000;
const LOG_BYTES = 16 * 1024 ** 2;
/** A start of plain Node is work for the processor: with a hundred at once on two cores, each took 3 s instead of 60 ms. */
const STARTS_PER_CPU = 3;

/**
 * One app, running: every room made and joined. Here is where to start reading: what a request meets, in order, is
 * `gateway` → `dispatcher` → `scaler` → a runtime's instance, and then `meter`.
 */
export class Platform {
  readonly log: LogBook;
  readonly logger: Logger;
  readonly gateway: Gateway;
  readonly scaler: Scaler;
  readonly control: AppControl;
  readonly caller: Caller;
  readonly token = secretToken();
  readonly #engines: Engines;
  readonly #meter: UsageMeter;
  readonly #dispatcher: InvocationDispatcher;
  readonly #store: Store;
  readonly #controlServer: ControlServer;
  readonly #socket: ServerSocket;
  #addresses: Addresses | null = null;
  #unregister: (() => Promise<void>) | null = null;

  static async start(options: PlatformOptions): Promise<Platform> {
    tuneHeap();
    const log = new LogBook({ maxEntries: LOG_ENTRIES, maxBytes: LOG_BYTES, unpack: unpackAccessLine });
    const logger = bookLogger(log, options.clock);
    const env = baseEnv(process.env, options.environment);
    const caller = deferredCaller();
    // What is in it is closed to others, but for bundles: without mounts a component's own user has to get to those.
    await mkdir(options.dataDirectory, { recursive: true, mode: 0o711 });

    const socket = await newServerSocket();
    const [store, engines] = await both(
      openSqliteStore({ path: join(options.dataDirectory, 'fulcrum.db'), clock: options.clock, logger }),
      Engines.open({
        clock: options.processClock,
        logger,
        log,
        baseEnv: env,
        socketPath: socket.socketPath.replace(/\.sock$/, '.wire'),
        sandboxFolder: socket.socketPath.replace(/\.sock$/, '.sandbox'),
        dataDirectory: options.dataDirectory,
        compileCacheFolder: compileCacheFolder(process.env),
        caller,
      }),
    );
    return new Platform(options, {
      log,
      logger,
      store,
      engines,
      caller,
      socket,
    });
  }

  private constructor(options: PlatformOptions, parts: Parts) {
    const { log, logger, store, engines, caller } = parts;
    const { clock } = options;
    this.#engines = engines;
    this.#socket = parts.socket;
    this.#store = store;
    this.log = log;
    this.logger = logger;
    this.#meter = new UsageMeter({ store: store.usage, clock, logger });
    this.scaler = new Scaler({
      runtimeFor: (spec, mode) => engines.runtimeFor(spec, mode),
      clock,
      logger,
      log,
      startsAtOnce: STARTS_PER_CPU * availableParallelism(),
    });
    const dispatcher = (this.#dispatcher = new InvocationDispatcher({
      slots: this.scaler,
      usage: this.#meter,
      clock,
    }));
    this.caller = createCaller(dispatcher, () => this.scaler.names());
    caller.set(this.caller);
    this.gateway = new Gateway({
      dispatcher,
      clock,
      logger,
      log,
      serverTiming: options.serverTiming,
      settings: { trustedProxies: [], cors: null },
    });
    this.control = new AppControl({
      scaler: this.scaler,
      dispatcher,
      meter: this.#meter,
      engines,
      logs: log,
      clock,
    });
    this.#controlServer = new ControlServer({ port: this.control, clock, logger, token: this.token });
  }

  /** Makes `prepared` the app that serves: instances first, then the route table. A failure changes nothing. */
  async deploy(
    prepared: Prepared,
    options: { inspect?: { component: string; port: number } | null } = {},
  ): Promise<void> {
    await this.#engines.prepare(prepared.app, prepared.revisions.values());
    await this.scaler.deploy(prepared.revisions, options);
    this.gateway.setApp(prepared.app);
    this.control.setApp(prepared.app);
  }

  /** Opens the doors: the gateway, the admin API and the socket that the CLI uses. */
  async listen(options: ListenOptions): Promise<Addresses> {
    const { gateway } = this;
    const listened = await firstFree(options.gatewayPorts, (port) => gateway.listen(port, options.host));
    const { socketPath } = this.#socket;
    const admin = await firstFree(options.adminPorts ?? [null], (httpPort) =>
      this.#controlServer.listen({ httpPort, host: '127.0.0.1', socketPath }),
    );
    this.control.setGatewayUrl(listened.url);
    this.#addresses = {
      gatewayUrl: listened.url,
      gatewayPort: listened.port,
      adminUrl: admin.url,
      adminLink: admin.url === null ? null : `${admin.url}/?token=${this.token}`,
    };
    return this.#addresses;
  }

  /** Writes the server down where the CLI of this user looks for it. Needs `listen` and a deploy before. */
  async register(): Promise<void> {
    const app = this.control.app();
    this.#unregister = await registerServer({
      ...this.#socket,
      pid: process.pid,
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
    const steps: [string, () => Promise<unknown>][] = [
      ['registration', async () => this.#unregister?.()],
      ['gateway', () => Promise.all([this.gateway.close(drainMs), this.scaler.close(drainMs)])],
      ['invocations', async () => this.#dispatcher.abortAll()],
      ['runtimes', () => this.#engines.close()],
      ['admin API', () => this.#controlServer.close()],
      ['usage', () => this.#meter.close()],
      ['store', () => this.#store.close()],
    ];
    for (const [name, end] of steps) {
      await end().catch((error: unknown) =>
        this.logger.error({ error: messageOf(error) }, `closing: ${name} failed`),
      );
    }
  }
}

interface Parts {
  readonly log: LogBook;
  readonly logger: Logger;
  readonly store: Store;
  readonly engines: Engines;
  readonly caller: ReturnType<typeof deferredCaller>;
  readonly socket: ServerSocket;
}

/** Both, or neither: where one cannot be had, the other is closed again. */
async function both<A extends Closable, B extends Closable>(
  first: Promise<A>,
  second: Promise<B>,
): Promise<[A, B]> {
  const [one, other] = await Promise.allSettled([first, second]);
  if (one.status === 'fulfilled' && other.status === 'fulfilled') return [one.value, other.value];
  for (const opened of [one, other]) if (opened.status === 'fulfilled') await opened.value.close();
  throw one.status === 'rejected' ? one.reason : (other as PromiseRejectedResult).reason;
}

interface Closable {
  close(): Promise<void>;
}

/** Tries each port in turn; only a port that is taken leads to the next. */
async function firstFree<P, T>(ports: readonly P[], listen: (port: P) => Promise<T>): Promise<T> {
  for (const port of ports.slice(0, -1)) {
    try {
      return await listen(port);
    } catch (error) {
      if (!(error instanceof FulcrumError && error.code === 'port-in-use')) throw error;
    }
  }
  return listen(ports.at(-1)!);
}
