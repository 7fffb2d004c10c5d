import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/log.ts';
import { Gateway } from '../gateway.ts';
import { FakeDispatcher } from './fake-dispatcher.ts';
import { writeCertificate } from './test-certificate.ts';
import type { CancelSignal } from '../../base/cancel.ts';
import type { Clock } from '../../base/clock.ts';
import type { GatewayRelease } from '../served-release.ts';
import type { Affinity, ComponentSpec, CorsSettings, GatewaySettings, Route } from '../../model/app.ts';
import type { LogEntry, LogSink } from '../../model/log.ts';
import type { GatewayLimits } from '../limits.ts';
import type { Behaviour } from './fake-instance.ts';

const NO_SETTINGS: GatewaySettings = { trustedProxies: [], cors: null };

export interface FixtureOptions {
  readonly limits?: Partial<GatewayLimits>;
  readonly dev?: boolean;
  readonly settings?: GatewaySettings;
  readonly trustedProxies?: readonly string[];
  readonly clock?: Clock;
}

/** A gateway on a port of the system's choosing over a dispatcher in memory; closed when the test ends. */
export class GatewayFixture {
  readonly dispatcher = new FakeDispatcher();
  readonly lines: LogEntry[] = [];
  readonly log: LogSink = {
    write: (entry) => {
      this.lines.push(entry);
      for (const wake of this.#lineWaiters.splice(0)) wake();
    },
  };
  readonly gateway: Gateway;
  readonly #settings: GatewaySettings;
  readonly #components = new Map<string, ComponentSpec>();
  /** What releases have besides components. */
  offers: Pick<GatewayRelease, 'events' | 'later'> = {};
  #lineWaiters: (() => void)[] = [];
  port = 0;
  url = '';

  constructor(options: FixtureOptions) {
    const { limits = {}, dev = false, settings = NO_SETTINGS, clock = systemClock } = options;
    const { trustedProxies = [] } = options;
    this.#settings = settings;
    this.gateway = new Gateway({
      clock,
      logger: silentLogger,
      log: this.log,
      limits: { lingerMs: 300, ...limits },
      serverTiming: dev,
      trustedProxies,
    });
    this.apply();
  }

  /** A component that answers as `behaviour` says on `paths`. */
  runs(
    name: string,
    paths: readonly (string | Partial<Route>)[],
    behaviour: Behaviour,
    affinity: Affinity | null = null,
    more: { readonly async?: { readonly open: boolean }; readonly cors?: CorsSettings } = {},
  ): this {
    this.dispatcher.behaviours.set(name, behaviour);
    this.#components.set(name, {
      kind: 'module',
      name,
      routes: paths.map(route),
      cors: null,
      service: { affinity },
      ...more,
    } as object as ComponentSpec);
    this.apply();
    return this;
  }

  serves(name: string, paths: readonly string[], directory: string, cors: CorsSettings | null = null): this {
    const routes = paths.map(route);
    this.#components.set(name, {
      kind: 'static',
      name,
      routes,
      cors,
      directory,
      cacheControl: 'public, max-age=60',
    });
    this.apply();
    return this;
  }

  apply(): void {
    this.setOnly(this.release());
  }

  /** Serves `release` alone, for every host and path. */
  setOnly(release: GatewayRelease): void {
    this.gateway.setApps([{ id: 'shop', hosts: [], prefix: '', serving: release, canary: null }]);
  }

  /** What has been added so far, as a release of its own. */
  release(changes: Partial<GatewayRelease> = {}): GatewayRelease {
    return {
      number: 1,
      dispatcher: this.dispatcher,
      components: new Map(this.#components),
      gateway: this.#settings,
      log: this.log,
      outcomes: null,
      ...this.offers,
      ...changes,
    };
  }

  async listen(): Promise<void> {
    const { port, url } = await this.gateway.listen({ port: 0, host: '127.0.0.1' });
    this.port = port;
    this.url = url;
  }

  /** Listens with TLS, too, with a certificate for `names`. */
  async listenTls(
    t: TestContext,
    names: readonly string[] = ['a.test'],
  ): Promise<{ port: number; ca: string }> {
    const directory = await mkdtemp(join(tmpdir(), 'gateway-tls-'));
    t.after(() => rm(directory, { recursive: true }));
    const { certPath, keyPath, cert } = await writeCertificate(directory, { names });
    const { port } = await this.gateway.listenTls({
      at: { port: 0, host: '127.0.0.1' },
      certificates: [{ certPath, keyPath, hosts: null }],
      hsts: null,
    });
    return { port, ca: cert };
  }

  /** Resolves when the log has `count` lines. */
  async logged(count: number): Promise<readonly LogEntry[]> {
    while (this.lines.length < count) {
      await new Promise<void>((resolve) => void this.#lineWaiters.push(resolve));
    }
    return this.lines;
  }

  /** Resolves when as many connections are open. */
  async connected(count: number): Promise<void> {
    while (this.gateway.connections !== count) {
      await new Promise<void>((resolve) => void setImmediate(resolve));
    }
  }

  /** An open connection on which anything can be written. */
  async connect(): Promise<RawClient> {
    const socket = connect(this.port, '127.0.0.1');
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Sends `text` and returns all that comes back until the connection ends. */
  async raw(text: string | Uint8Array): Promise<string> {
    const client = await this.connect();
    client.socket.write(text);
    return client.rest();
  }
}

/** Resolves when `signal` has aborted. */
export function aborted(signal: CancelSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', resolve, { once: true });
  });
}

/** A client that speaks bytes. */
export class RawClient {
  readonly socket: Socket;
  #text = '';
  #error: Error | null = null;
  readonly #closed: Promise<unknown>;
  #waiters: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    const wake = (): void => {
      for (const waiter of this.#waiters.splice(0)) waiter();
    };
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
      wake();
    });
    socket.on('error', (error) => {
      this.#error = error;
    });
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        resolve(null);
        wake();
      });
    });
  }

  get text(): string {
    return this.#text;
  }

  get error(): Error | null {
    return this.#error;
  }

  /** Waits until `pattern` has come; fails where the connection ends before. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#text)) {
      if (this.socket.destroyed) throw new Error(`The connection ended with: ${this.#text}`);
      await new Promise<void>((resolve) => void this.#waiters.push(resolve));
    }
    return this.#text;
  }

  async rest(): Promise<string> {
    await this.#closed;
    return this.#text;
  }
}

export async function gatewayFixture(t: TestContext, options: FixtureOptions = {}): Promise<GatewayFixture> {
  const fixture = new GatewayFixture(options);
  await fixture.listen();
  t.after(() => fixture.gateway.close(0));
  return fixture;
}

function route(given: string | Partial<Route>): Route {
  const base = { host: null, path: '/*', stripPrefix: false, bodyLimitBytes: 1024 * 1024 };
  return typeof given === 'string' ? { ...base, path: given } : { ...base, ...given };
}
