import { CorsPolicy } from './cors.ts';
import { encodedPath, Router } from './router.ts';
import { StaticSite } from './static/site.ts';
import { TrustedProxies } from './trusted-proxies.ts';
import type { RouterEntry } from './router.ts';
import type { ComponentSpec, GatewaySettings, Route } from '../model/app.ts';

interface Common {
  readonly component: string;
  readonly route: Route;
  /** What a prefix route has before its star, as clients send it; empty for an exact one. */
  readonly prefix: string;
  readonly cors: CorsPolicy | null;
}

/** What a route leads to. */
export type GatewayTarget =
  | (Common & { readonly kind: 'instances' })
  | (Common & { readonly kind: 'static'; readonly site: StaticSite });

export interface GatewayApp {
  readonly components: ReadonlyMap<string, ComponentSpec>;
  readonly gateway: GatewaySettings;
}

/** An app as the gateway serves it. Immutable: another deploy is another one, and requests keep the one they came to. */
export class ServedApp {
  readonly router: Router<GatewayTarget>;
  readonly proxies: TrustedProxies;

  /** Throws `config-invalid` where a trusted proxy is no address. */
  constructor({ components, gateway }: GatewayApp) {
    const common = gateway.cors === null ? null : new CorsPolicy(gateway.cors);
    this.proxies = new TrustedProxies(gateway.trustedProxies);
    this.router = new Router([...components.values()].flatMap((spec) => entriesOf(spec, common)));
  }
}

function entriesOf(spec: ComponentSpec, common: CorsPolicy | null): RouterEntry<GatewayTarget>[] {
  const cors = spec.cors === null ? common : new CorsPolicy(spec.cors);
  const site = spec.kind === 'static' ? new StaticSite(spec.directory, spec.cacheControl) : null;
  return spec.routes.map((route) => {
    const prefix = route.path.endsWith('/*') ? encodedPath(route.path.slice(0, -2)) : '';
    const target = { component: spec.name, route, prefix, cors };
    return {
      route,
      value: site === null ? { ...target, kind: 'instances' } : { ...target, kind: 'static', site },
    };
  });
}
