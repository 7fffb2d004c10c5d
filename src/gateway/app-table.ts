import { FulcrumError } from '../base/errors.ts';
import { bucketLine, bucketOf, isInCanary, newBucket } from './canary.ts';
import { encodedPath, Router } from './router.ts';
import { ServedRelease } from './served-release.ts';
import type { GatewayRelease } from './served-release.ts';

/** An app, as data: what the gateway is given to serve. */
export interface GatewayApp {
  readonly id: string;
  /** Exact names or `*.domain`, in any letter case; where empty it answers under every host that no other app claims. */
  readonly hosts: readonly string[];
  /** `/shop`: what its paths begin with, and its routes do not see; empty for none. */
  readonly prefix: string;
  readonly serving: GatewayRelease;
  readonly canary: GatewayCanary | null;
}

/** A release that is given part of the clients. */
interface GatewayCanary {
  readonly release: GatewayRelease;
  /** 0 to 100, in steps of a hundredth. */
  readonly percent: number;
}

interface ServedCanary {
  readonly release: ServedRelease;
  readonly percent: number;
}

/** An app as the gateway serves it. */
export class ServedApp {
  readonly id: string;
  /** As clients send it. */
  readonly prefix: string;
  readonly serving: ServedRelease;
  readonly canary: ServedCanary | null;

  constructor(id: string, prefix: string, serving: ServedRelease, canary: ServedCanary | null) {
    this.id = id;
    this.prefix = prefix;
    this.serving = serving;
    this.canary = canary;
  }
}

/** Whom a client of an app with a canary is given to. */
export interface Choice {
  readonly release: ServedRelease;
  /** Set where the client had none yet: it is told to keep this. */
  readonly newBucket: number | null;
}

export function chooseRelease(app: ServedApp, canary: ServedCanary, cookie: string | null): Choice {
  const known = bucketOf(cookie);
  const bucket = known ?? newBucket();
  const isIn = isInCanary(bucket, app.id, canary.release.number, canary.percent);
  return { release: isIn ? canary.release : app.serving, newBucket: known === null ? bucket : null };
}

/** The field line that goes with such a choice. */
export function choiceLine(app: ServedApp, bucket: number, secure: boolean): string {
  return bucketLine(bucket, app.prefix === '' ? '/' : app.prefix, secure);
}

/**
 * Finds the app that a request is for: its own host before `*.its.domain` before no host; of one host's apps the longest prefix. Where
 * those of a host have no prefix that fits, the next in that order are asked. Immutable; made anew with every change, but for releases
 * that are the same as before.
 */
export class AppTable {
  readonly #router: Router<ServedApp>;
  readonly #hosts = new Set<string>();
  /** By what each was made of. */
  readonly #releases = new Map<GatewayRelease, ServedRelease>();
  /** Where there is one app, for every host and path, nothing has to be looked up. */
  readonly #only: ServedApp | null;
  readonly #size: number;

  /**
   * @param before what served until now.
   * Throws `config-invalid` where a trusted proxy of a release is no address, and `conflict` where two apps claim the same.
   */
  constructor(apps: readonly GatewayApp[], before: AppTable | null) {
    const entries: { route: { host: string | null; path: string }; value: ServedApp }[] = [];
    const owners = new Map<string, string>();
    let only: ServedApp | null = null;
    for (const { id, hosts, prefix, serving, canary } of apps) {
      const app = new ServedApp(
        id,
        encodedPath(prefix),
        this.#served(serving, before),
        canary === null ? null : { release: this.#served(canary.release, before), percent: canary.percent },
      );
      if (hosts.length === 0 && prefix === '') only = app;
      for (const host of hosts.length === 0 ? [null] : hosts) {
        const name = host === null ? null : host.toLowerCase();
        const claim = `${name ?? 'any host'}${prefix}`;
        const owner = owners.get(claim);
        if (owner !== undefined && owner !== id) {
          throw new FulcrumError('conflict', `The apps ${owner} and ${id} both claim ${claim}.`);
        }
        owners.set(claim, id);
        if (name !== null) this.#hosts.add(name);
        entries.push({ route: { host: name, path: `${prefix}/*` }, value: app });
      }
    }
    this.#router = new Router(entries);
    this.#only = apps.length === 1 ? only : null;
    this.#size = apps.length;
  }

  /**
   * @param host lower case, without port.
   * @param path as in the request line, without query.
   */
  match(host: string, path: string): ServedApp | null {
    return this.#only ?? this.#router.match(host, path);
  }

  /** Why there is none. Both are as the client sent them. */
  noApp(host: string, path: string): FulcrumError {
    return new FulcrumError('app-not-found', this.#whyNone(host, shortened(path)));
  }

  #whyNone(host: string, path: string): string {
    if (this.#size === 0) return 'No app has been deployed to this server yet.';
    const dot = host.indexOf('.');
    const isKnown = this.#hosts.has(host) || (dot > 0 && this.#hosts.has(`*${host.slice(dot)}`));
    if (isKnown) return `No app on this server answers for ${path} under the host ${host}.`;
    return `No app on this server answers under the host ${host}.`;
  }

  #served(release: GatewayRelease, before: AppTable | null): ServedRelease {
    const known =
      this.#releases.get(release) ?? (before === null ? undefined : before.#releases.get(release));
    const served = known ?? new ServedRelease(release);
    this.#releases.set(release, served);
    return served;
  }
}

export function shortened(path: string): string {
  return path.length > 200 ? `${path.slice(0, 200)}…` : path;
}
