import { Exchange } from './exchange.ts';
import { dispatch } from './dispatch.ts';
import { HostNames } from './host-names.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { Listener } from './listener.ts';
import { refuseMalformed } from './refuse-malformed.ts';
import { ServedApp } from './served-app.ts';
import { Upgrade } from './upgrade.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { GatewaySettings } from '../model/app.ts';
import type { Dispatcher } from '../model/dispatch.ts';
import type { LogSink } from '../model/log.ts';
import type { GatewayLimits } from './limits.ts';
import type { GatewayParts } from './parts.ts';
import type { GatewayApp } from './served-app.ts';

export interface GatewayOptions {
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gets one line for each request. */
  readonly log: LogSink;
  /** What is left out has its default: {@link DEFAULT_LIMITS}. */
  readonly limits?: Partial<GatewayLimits>;
  /** Development: answers carry `Server-Timing`, and problem documents tell what the component did wrong. */
  readonly serverTiming: boolean;
  readonly settings: GatewaySettings;
}

/** HTTP in: takes requests, finds the component that each is for, and carries the answers back. */
export class Gateway {
  readonly #parts: GatewayParts;
  readonly #hosts = new HostNames();
  readonly #listener: Listener;
  #app: ServedApp;

  /** Throws `config-invalid` where a trusted proxy is no address. Until `setApp` no route is found. */
  constructor({ dispatcher, clock, logger, log, limits, serverTiming, settings }: GatewayOptions) {
    this.#parts = {
      dispatcher,
      clock,
      logger,
      log,
      limits: { ...DEFAULT_LIMITS, ...limits },
      dev: serverTiming,
    };
    this.#app = new ServedApp({ components: new Map(), gateway: settings });
    this.#listener = new Listener({
      limits: this.#parts.limits,
      clock,
      logger,
      handler: {
        request: (connection, head) => {
          const exchange = new Exchange(this.#parts, connection, head);
          dispatch(this.#parts, this.#app, this.#hosts, connection, exchange);
        },
        upgrade: (connection, head, socket, early) => {
          void new Upgrade(this.#parts, connection, head, socket, early).serve(this.#app, this.#hosts);
        },
        malformed: (connection, error) => refuseMalformed(this.#parts, connection, error),
      },
      trusts: (address) => this.#app.proxies.trusts(address),
    });
  }

  /**
   * Serves `app` from the next request on; requests in flight end under the one that they came to. Throws
   * `config-invalid`, and then nothing has changed.
   */
  setApp(app: GatewayApp): void {
    this.#app = new ServedApp(app);
  }

  /** Open connections, WebSockets among them. */
  get connections(): number {
    return this.#listener.connections;
  }

  /** @param port 0 lets the system choose. Rejects with `port-in-use`. */
  async listen(port: number, host: string): Promise<{ port: number; url: string }> {
    const bound = await this.#listener.listen(port, host);
    return { port: bound, url: `http://${shownHost(host)}:${bound}` };
  }

  /** Accepts no more, ends what is in flight within `drainMs`, then cuts what is left, WebSockets too. */
  async close(drainMs: number): Promise<void> {
    await this.#listener.close(drainMs);
  }
}

/** A host that can be opened in a browser where the gateway listens on every address. */
function shownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
