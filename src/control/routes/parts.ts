import type { Clock } from '../../base/clock.ts';
import { FulcrumError } from '../../base/errors.ts';
import { nearest } from '../../base/suggest.ts';
import type { AppRecord } from '../../model/app-record.ts';
import type { AuditStore } from '../../model/audit-store.ts';
import type { ComponentStatus } from '../../model/status.ts';
import type { WorkKind } from '../../model/event.ts';
import type { HostPort } from '../host-port.ts';
import type { LogReader } from '../log-book.ts';
import type { PageLinks } from '../page-links.ts';
import type { ControlPort } from '../port.ts';
import type { SecretsPort } from '../secrets-port.ts';
import type { TokenBook } from '../token-book.ts';

/** What the routes answer from. */
export interface ApiParts {
  readonly host: HostPort;
  readonly clock: Clock;
  /** Ends followed logs. */
  readonly closing: AbortSignal;
  /** Null: none are kept. */
  readonly tokens: TokenBook | null;
  readonly audit: AuditStore | null;
  readonly links: PageLinks;
  readonly secrets: SecretsPort | null;
}

/** `part`, or `not-found` with the sentence of why this server has none. */
export function need<T>(part: T | null | undefined, otherwise: string): T {
  if (part === null || part === undefined) throw new FulcrumError('not-found', otherwise);
  return part;
}

export const NO_DEPLOYS = 'This server takes no deploys: it runs one app and follows its files.';
export const NO_TOKENS = 'This server keeps no tokens.';
export const NO_SECRETS = 'This server keeps no secrets: its app reads them from .env files.';
export const NO_AUDIT = 'This server keeps no log of changes.';

export async function recordOf(host: HostPort, id: string): Promise<AppRecord> {
  return need(
    (await host.apps()).find((app) => app.id === id),
    noSuchApp(id),
  );
}

/** The same whether there is none, or the token is for others: nobody learns what else runs here. */
export function noSuchApp(id: string): string {
  return `There is no app '${id}' here, or this token is not for it.`;
}

/** What runs of an app. Throws `app-starting` where it should and does not, with the reason, and `not-found` where nothing has been deployed. */
export function running(host: HostPort, id: string): ControlPort {
  const port = host.app(id);
  if (port !== null) return port;
  const failure = host.startFailure?.(id) ?? null;
  if (failure !== null) {
    throw new FulcrumError(
      'app-starting',
      `'${id}' does not run: what serves of it did not start, and is tried again. ${failure.message}`,
      { retryAfterS: 5 },
    );
  }
  throw new FulcrumError('not-found', `Nothing of '${id}' serves yet. Deploy it first.`);
}

/** Its log, also where nothing of it runs: that is when it is asked for. */
export function logsOf(host: HostPort, id: string): LogReader {
  return host.app(id)?.logs ?? host.logs?.(id) ?? running(host, id).logs;
}

/** One of an app's components. Rejects with `not-found`, and the nearest name where there is one. */
export async function component(port: ControlPort, name: string): Promise<ComponentStatus> {
  const components = await port.components();
  const found = components.find((candidate) => candidate.name === name);
  if (found !== undefined) return found;
  const group = (await port.groups()).find((candidate) => candidate.name === name);
  if (group !== undefined) {
    throw new FulcrumError(
      'not-found',
      `'${name}' is a group and no component. Its members: ${group.members.join(', ')}.`,
      { details: { nearest: null } },
    );
  }
  throw noSuch(
    name,
    components.map((candidate) => candidate.name),
  );
}

/** The name of a component, or of a group. Rejects likewise. */
export async function unit(port: ControlPort, name: string): Promise<string> {
  const [components, groups] = await Promise.all([port.components(), port.groups()]);
  const names = [...components, ...groups].map((candidate) => candidate.name);
  if (names.includes(name)) return name;
  throw noSuch(name, names);
}

function noSuch(name: string, names: readonly string[]): FulcrumError {
  const likely = nearest(name, names);
  const advice = likely === null ? `There are: ${names.join(', ')}.` : `Did you mean '${likely}'?`;
  return new FulcrumError('not-found', `There is no component '${name}'. ${advice}`, {
    details: { nearest: likely },
  });
}

/** A kept HTTP request is told without its query, as in the access log: tokens and names stand in such. */
export function shownType({ kind, type }: { readonly kind: WorkKind; readonly type: string }): string {
  return kind === 'request' ? type.replace(/\?.*$/s, '') : type;
}
