import { FulcrumError } from '../../base/errors.ts';
import type { GatewayApp } from '../../gateway/app-table.ts';
import type { GatewayComponent, GatewayRelease } from '../../gateway/served-release.ts';
import type { AppRecord } from '../../model/app-record.ts';
import type { Dispatcher } from '../../model/dispatch.ts';
import type { InvocationEnd } from '../../model/invocation.ts';
import type { LogSink } from '../../model/log.ts';
import type { RunningApp } from '../running-app.ts';
import { canaryPercent } from './canary-step.ts';

interface Routed {
  readonly record: AppRecord;
  readonly app: RunningApp;
}

/** The gateway, as it is told what to serve. */
export interface AppsOfGateway {
  /** Throws `config-invalid` or `conflict`; then nothing has changed. */
  setApps(apps: readonly GatewayApp[]): void;
}

/** What the gateway serves, made anew of all apps with every change of one. */
export class RouteTable {
  readonly #gateway: AppsOfGateway;
  readonly #log: LogSink;
  readonly #apps = new Map<string, Routed>();
  readonly #starting = new Map<string, GatewayRelease>();

  constructor(gateway: AppsOfGateway, log: LogSink) {
    this.#gateway = gateway;
    this.#log = log;
  }

  /** The apps that are routed to, as they were when they last were. */
  get records(): readonly AppRecord[] {
    return [...this.#apps.values()].map(({ record }) => record);
  }

  get(id: string): AppRecord | null {
    return this.#apps.get(id)?.record ?? null;
  }

  /** Routes to what serves of `app`, where `record` says; its requests are told to wait where nothing does yet. Throws as the gateway does; then nothing has changed. */
  set(app: RunningApp, record: AppRecord): void {
    const before = this.#apps.get(app.id);
    this.#apps.set(app.id, { record, app });
    try {
      this.#apply();
    } catch (error) {
      if (before === undefined) this.#apps.delete(app.id);
      else this.#apps.set(app.id, before);
      throw error;
    }
  }

  remove(id: string): void {
    if (this.#apps.delete(id)) this.#apply();
  }

  #apply(): void {
    this.#gateway.setApps([...this.#apps.values()].map((routed) => this.#gatewayApp(routed)));
  }

  #gatewayApp({ record, app }: Routed): GatewayApp {
    const { id, hosts, prefix, canary } = record;
    const release = app.canary?.routed;
    return {
      id,
      hosts,
      prefix,
      serving: app.serving?.routed ?? this.#startingRelease(id),
      canary: canary === null || release === undefined ? null : { release, percent: canaryPercent(canary) },
    };
  }

  /** Stands in for an app whose release is still being started: the client may come again in a moment. */
  #startingRelease(id: string): GatewayRelease {
    let release = this.#starting.get(id);
    if (release === undefined) {
      const dispatcher = refusing(() => {
        const message = `The app ${id} is being started. Try again in a moment.`;
        return new FulcrumError('app-starting', message, { retryAfterS: 2 });
      });
      const route = { host: null, path: '/*', stripPrefix: false, bodyLimitBytes: Number.MAX_SAFE_INTEGER };
      const component: GatewayComponent = {
        kind: 'command',
        name: '-',
        routes: [route],
        cors: null,
        service: { affinity: null },
      };
      release = {
        app: id,
        number: 0,
        dispatcher,
        components: new Map([['-', component]]),
        gateway: { trustedProxies: [], cors: null },
        log: this.#log,
        outcomes: null,
      };
      this.#starting.set(id, release);
    }
    return release;
  }
}

function refusing(refusal: () => FulcrumError): Dispatcher {
  const end = (): InvocationEnd => ({ outcome: 'refused', error: refusal(), cpuMs: 0 });
  return {
    carry: (_component, _seed, carrier) => carrier.finished(end()),
    run: () => Promise.resolve(end()),
  };
}
