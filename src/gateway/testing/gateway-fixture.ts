import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/log.ts';
import { Gateway } from '../gateway.ts';
import { FakeDispatcher } from './fake-dispatcher.ts';
import type { CancelSignal } from '../../base/cancel.ts';
import type { Clock } from '../../base/clock.ts';
import type { ComponentSpec, CorsSettings, GatewaySettings, Route } from '../../model/app.ts';
import type { LogEntry } from '../../model/log.ts';
import type { GatewayLimits } from '../limits.ts';
import type { Behaviour } from './fake-instance.ts';

const NO_SETTINGS: GatewaySettings = { trustedProxies: [], cors: null };

export interface FixtureOptions {
  readonly limits?: Partial<GatewayLimits>;
  readonly dev?: boolean;
  readonly settings?: GatewaySettings;
  readonly clock?: Clock;
}

/** A gateway on a port of the system's choosing over a dispatcher in memory; closed when the test ends. */
export class GatewayFixture {
  readonly dispatcher = new FakeDispatcher();
  readonly lines: LogEntry[] = [];
  readonly gateway: Gateway;
  readonly #settings: GatewaySettings;
  readonly #components = new Map<string, ComponentSpec>();
  #lineWaiters: (() => void)[] = [];
  port = 0;
  url = '';

  constructor({ limits = {}, dev = false, settings = NO_SETTINGS, clock = systemClock }: FixtureOptions) {
    this.#settings = settings;
    this.gateway = new Gateway({
      dispatcher: this.dispatcher,
      clock,
      logger: silentLogger,
      log: {
        write: (entry) => {
          this.lines.push(entry);
          for (const wake of this.#lineWaiters.splice(0)) wake();
        },
      },
      limits: { lingerMs: 300, ...limits },
      serverTiming: dev,
      settings,
    });
  }

  /** A component that answers as `behaviour` says on `paths`. */
  runs(name: string, paths: readonly (string | Partial<Route>)[], behaviour: Behaviour): this {
    this.dispatcher.behaviours.set(name, behaviour);
    this.#components.set(name, {
      kind: 'module',
      name,
      routes: paths.map(route),
      cors: null,
    } as Partial<ComponentSpec> as ComponentSpec);
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
    this.gateway.setApp({ components: new Map(this.#components), gateway: this.#settings });
  }

  async listen(): Promise<void> {
    const { port, url } = await this.gateway.listen(0, '127.0.0.1');
    this.port = port;
    this.url = url;
  }

  /** Resolves when the log has `count` lines. */
  async logged(count: number): Promise<readonly LogEntry[]> {
    while (this.lines.length < count) {
      await new Promise<void>((resolve) => void this.#lineWaiters.push(resolve));
    }
    return this.lines;
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
