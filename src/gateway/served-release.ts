import { EventDoor } from './event-door.ts';
import { CorsPolicy } from './cors.ts';
import { encodedPath, Router } from './router.ts';
import { StaticSite } from './static/site.ts';
import { TrustedProxies } from './trusted-proxies.ts';
import type { AsyncRequests } from './async-requests.ts';
import type { EventEntrance } from './event-door.ts';
import type { OutcomeSink } from './outcomes.ts';
import type { RouterEntry } from './router.ts';
import type {
  Affinity,
  GatewaySettings,
  Route,
  RunnableSpec,
  ServiceSettings,
  StaticSpec,
} from '../model/app.ts';
import type { AsyncSettings } from '../model/work-settings.ts';
import type { Dispatcher } from '../model/dispatch.ts';
import type { LogSink } from '../model/log.ts';

interface Common {
  readonly component: string;
  readonly route: Route;
  /** What a prefix route has before its star, as clients send it; empty for an exact one. */
  readonly prefix: string;
  readonly cors: CorsPolicy | null;
}

/** What a route leads to. */
export type GatewayTarget =
  | (Common & {
      readonly kind: 'instances';
      /** By what its clients are told apart while it is a service; null: they are not. */
      readonly affinity: Affinity | null;
      /** Where what its clients ask for asynchronously goes; null: they may not. */
      readonly later: AsyncRequests | null;
    })
  | (Common & { readonly kind: 'static'; readonly site: StaticSite })
  | (Common & { readonly kind: 'events'; readonly door: EventDoor });

/** What of a component the gateway looks at. */
export type GatewayComponent =
  | StaticSpec
  | (Pick<RunnableSpec, 'kind' | 'name' | 'routes' | 'cors'> & {
      readonly service: Pick<ServiceSettings, 'affinity'>;
      readonly async?: Pick<AsyncSettings, 'open'>;
    });

/** One release of an app, as data: what the gateway is given to serve. */
export interface GatewayRelease {
  /** Id of its app; absent where its log lines need not tell. */
  readonly app?: string;
  readonly number: number;
  /** Where its requests find instances: every release has its own, so that a request stays within one. */
  readonly dispatcher: Dispatcher;
  readonly components: ReadonlyMap<string, GatewayComponent>;
  readonly gateway: GatewaySettings;
  /** Gets one line for each of its requests. */
  readonly log: LogSink;
  /** Is told how each of its requests ended; null where nobody counts. */
  readonly outcomes: OutcomeSink | null;
  /** Where it takes events; absent or null: nowhere. */
  readonly events?: EventEntrance | null;
  /** Takes what clients ask for asynchronously of components that are open to it; absent or null: nobody does. */
  readonly later?: AsyncRequests | null;
}

/** A release as the gateway serves it. Immutable: another deploy is another one, and requests keep the one they came to. */
export class ServedRelease {
  readonly app: string | null;
  readonly number: number;
  readonly dispatcher: Dispatcher;
  readonly log: LogSink;
  readonly outcomes: OutcomeSink | null;
  readonly router: Router<GatewayTarget>;
  readonly proxies: TrustedProxies;

  /** Throws `config-invalid` where a trusted proxy is no address. */
  constructor(release: GatewayRelease) {
    const { app, number, dispatcher, components, gateway, log, outcomes, events = null } = release;
    this.app = app ?? null;
    this.number = number;
    this.dispatcher = dispatcher;
    this.log = log;
    this.outcomes = outcomes;
    const common = gateway.cors === null ? null : new CorsPolicy(gateway.cors);
    this.proxies = new TrustedProxies(gateway.trustedProxies);
    const later = release.later ?? null;
    this.router = new Router([
      ...(events === null ? [] : [eventsEntry(events)]),
      ...[...components.values()].flatMap((spec) => entriesOf(spec, common, later)),
    ]);
  }
}

/** Under a name that no component may have. */
const EVENTS = 'events';

function eventsEntry(entrance: EventEntrance): RouterEntry<GatewayTarget> {
  const { host, path, bodyLimitBytes } = entrance;
  const route = { host, path, stripPrefix: false, bodyLimitBytes };
  const door = new EventDoor(entrance);
  return { route, value: { kind: 'events', component: EVENTS, route, prefix: '', cors: null, door } };
}

function entriesOf(
  spec: GatewayComponent,
  common: CorsPolicy | null,
  open: AsyncRequests | null,
): RouterEntry<GatewayTarget>[] {
  const cors = spec.cors === null ? common : new CorsPolicy(spec.cors);
  const site = spec.kind === 'static' ? new StaticSite(spec.directory, spec.cacheControl) : null;
  return spec.routes.map((route) => {
    const prefix = route.path.endsWith('/*') ? encodedPath(route.path.slice(0, -2)) : '';
    const target = { component: spec.name, route, prefix, cors };
    if (site !== null) return { route, value: { ...target, kind: 'static', site } };
    const affinity = spec.kind === 'static' ? null : spec.service.affinity;
    const later = spec.kind !== 'static' && spec.async?.open === true ? open : null;
    return { route, value: { ...target, kind: 'instances', affinity, later } };
  });
}
