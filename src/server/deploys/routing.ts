import { FulcrumError } from '../../base/errors.ts';
import type { AppRecord } from '../../model/app-record.ts';

/** Where an app answers. */
export interface Routing {
  readonly hosts: readonly string[];
  readonly prefix: string;
}

const EVERY_HOST = 'every host';
const MOST_HOSTS = 100;
const MOST_PREFIX_CHARS = 200;
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const HOST = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);
const PREFIX = /^(?:\/[A-Za-z0-9._~-]+)+$/;

/** `routing` in the form that is kept. Throws `bad-request` for what is no host or prefix. */
export function readRouting({ hosts, prefix }: Routing): Routing {
  if (hosts.length > MOST_HOSTS) throw bad(`An app has at most ${MOST_HOSTS} hosts, not ${hosts.length}.`);
  const names = hosts.map((host) => host.toLowerCase());
  for (const name of names) {
    if (name.length > 253 || !HOST.test(name))
      throw bad(
        `'${shown(name)}' is no host name. Give names such as shop.example.com, or *.example.com, without port.`,
      );
  }
  if (
    prefix !== '' &&
    (prefix.length > MOST_PREFIX_CHARS || !PREFIX.test(prefix) || /\/\.{1,2}(?:\/|$)/.test(prefix))
  )
    throw bad(
      `'${shown(prefix)}' is no path prefix. It is like /shop: it begins with a slash, and does not end with one.`,
    );
  return { hosts: [...new Set(names)].sort(), prefix };
}

/** Throws `conflict` where another of `apps` answers just where `routing` would have `app` answer. */
export function refuseSamePlace(app: string, routing: Routing, apps: readonly AppRecord[]): void {
  for (const other of apps) {
    // One that has never come up keeps nobody out; of two that come up at once the second is refused when it is to be routed to.
    if (other.serving === null) continue;
    if (other.id === app || other.prefix !== routing.prefix) continue;
    const both =
      routing.hosts.length === 0 && other.hosts.length === 0
        ? EVERY_HOST
        : routing.hosts.find((host) => other.hosts.includes(host));
    if (both === undefined) continue;
    const below = routing.prefix === '' ? '' : ` below ${routing.prefix}`;
    throw new FulcrumError(
      'conflict',
      `The app ${other.id} answers for ${both}${below} already. Give ${app} a host or a path prefix of its own.`,
      { details: { app: other.id, host: both, prefix: routing.prefix } },
    );
  }
}

/**
 * Throws `forbidden` unless who deploys `app` may have it answer at `routing`, who may not decide where apps answer: an app that exists
 * stays where it is, and a new one gets nothing of a host that another answers for, whatever its prefix. Whoever answers below a path of
 * a host is sent the cookies of all of it.
 */
export function refuseForeignPlace(app: string, routing: Routing, apps: readonly AppRecord[]): void {
  // One that has never come up is new still, and keeps nobody out.
  const served = apps.filter(({ serving }) => serving !== null);
  const present = served.find(({ id }) => id === app);
  if (present !== undefined) {
    const isSame = present.prefix === routing.prefix && sameHosts(present.hosts, routing.hosts);
    if (isSame) return;
    throw new FulcrumError(
      'forbidden',
      `${app} exists, and where it answers is changed by a token of scope 'admin' only (\`fulcrum apps route\`). Deploy it without hosts and prefix.`,
    );
  }
  const met = foreignHost(routing.hosts, served);
  if (met === null) return;
  // Whose it is, is not this token's to know.
  throw new FulcrumError(
    'forbidden',
    `${app} is new, and another app answers for ${met}, or for some of it: only a token of scope 'admin' may have a second one answer there. Give ${app} another host, or have its first deploy made by such a token.`,
    { details: { host: met } },
  );
}

/** The first of a new app's hosts that would take requests of another app's host; null for none. */
function foreignHost(hosts: readonly string[], apps: readonly AppRecord[]): string | null {
  const theirs = new Set(apps.flatMap((other) => other.hosts));
  const hasOpen = apps.some((other) => other.hosts.length === 0);
  if (hosts.length > 0)
    return hosts.find((host) => hasOpen || [...theirs].some((other) => meet(host, other))) ?? null;
  // Without a host it gets what is left: something of a host, where those that have it do not answer for all of its paths.
  const whole = new Set(apps.filter(({ prefix }) => prefix === '').flatMap((other) => other.hosts));
  return hasOpen || [...theirs].some((host) => !whole.has(host)) ? EVERY_HOST : null;
}

/** Whether a host's name may be of both. */
function meet(one: string, other: string): boolean {
  return one === other || isUnder(one, other) || isUnder(other, one);
}

function isUnder(host: string, wildcard: string): boolean {
  return wildcard.startsWith('*.') && host.endsWith(wildcard.slice(1));
}

function sameHosts(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((host) => other.includes(host));
}

function bad(message: string): FulcrumError {
  return new FulcrumError('bad-request', message);
}

function shown(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
