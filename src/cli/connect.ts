import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isAppId } from '../base/app-id.ts';
import { FulcrumError } from '../base/errors.ts';
import { chooseApp } from '../control/choose-app.ts';
import { chooseServer, type ServerChoice } from '../control/choose-server.ts';
import { listServers, type ServerEntry } from '../control/registry.ts';
import type { AppRecord } from '../model/app-record.ts';
import type { StartFailure } from '../model/status.ts';
import { ControlClient } from './client.ts';
import { credentialsPath, keptToken } from './credentials.ts';

/** Which server and app a command means. */
export interface Target {
  /** An app's id, name or folder. */
  readonly app?: string;
  /** An admin address; without, what FULCRUM_URL says, and without that a server of this machine. */
  readonly url?: string;
}

export interface AppInList extends AppRecord {
  readonly running: boolean;
  /** Null where it runs, or nothing should. */
  readonly startFailure: StartFailure | null;
}

export interface ServerConnection {
  readonly client: ControlClient;
  /** Null where the server was named by its address. */
  readonly entry: ServerEntry | null;
}

export interface AppConnection extends ServerConnection {
  /** The app's id. */
  readonly app: string;
  /** The path of `below` (`/components`) for this app. */
  readonly at: (below: string) => string;
}

/** The server that a command means. Rejects with `server-unreachable` or `usage`. */
async function connectToServer(target: Target, option?: '--url' | '--to'): Promise<ServerConnection> {
  const url = target.url ?? nonEmpty(process.env['FULCRUM_URL']);
  if (url !== undefined) return { client: new ControlClient(placeOf(url)), entry: null };
  const [cwd, servers] = await Promise.all([realpath(process.cwd()), listServers()]);
  const { app } = target;
  const folder = app === undefined ? undefined : await realpath(resolve(app)).catch(() => app);
  const exists = folder !== undefined && servers.some((server) => server.directory === folder);
  const choices = app === undefined || exists ? servers : await Promise.all(servers.map(withApps));
  const entry = chooseServer(cwd, choices, exists ? folder : app, option);
  return { client: clientOf(entry), entry };
}

/**
 * The same for a command that is about the server and not an app: where several run, the one that apps are deployed to.
 * @param option what the command calls the server's address.
 */
export async function connectToHost(
  target: Pick<Target, 'url'>,
  option: '--url' | '--to' = '--url',
): Promise<ServerConnection> {
  if (target.url === undefined && nonEmpty(process.env['FULCRUM_URL']) === undefined) {
    const hosts = (await listServers()).filter(({ kind }) => kind === 'serve');
    if (hosts.length > 0) {
      // Wherever the command is given: a server's data folder says nothing of what is meant.
      const entry = chooseServer('/', hosts, undefined, option);
      return { client: clientOf(entry), entry };
    }
  }
  return connectToServer(target.url === undefined ? {} : { url: target.url }, option);
}

/** The app that a command means, and its server. Rejects with `server-unreachable`, `not-found` or `usage`. */
export async function connectToApp(target: Target): Promise<AppConnection> {
  const connection = await connectToServer(target);
  const apps = await connection.client.get<AppInList[]>('/apps');
  // A server that was found by its app's folder has that one alone.
  const byFolder = connection.entry?.kind === 'dev';
  return appConnection(connection, chooseApp(apps, byFolder ? undefined : target.app).id);
}

/** The same for an app that need not exist: what `--app` says is taken as its id where there is none. */
export async function connectToNewApp(target: Target): Promise<AppConnection> {
  const { app } = target;
  const unknown = app !== undefined && isAppId(app);
  const connection = await connectToServer(target).catch(async (error: unknown) => {
    if (!unknown || !(error instanceof FulcrumError) || error.code !== 'server-unreachable') throw error;
    const host = await connectToHost(target);
    // Where only `dev` runs nothing can be new.
    if (host.entry?.kind === 'dev') throw error;
    return host;
  });
  const apps = await connection.client.get<AppInList[]>('/apps');
  const isNew = unknown && !apps.some(({ id, name }) => id === app || name === app);
  if (isNew && connection.entry?.kind !== 'dev') return appConnection(connection, app);
  return appConnection(connection, chooseApp(apps, connection.entry?.kind === 'dev' ? undefined : app).id);
}

function appConnection(connection: ServerConnection, app: string): AppConnection {
  return { ...connection, app, at: (below) => `/apps/${encodeURIComponent(app)}${below}` };
}

function clientOf({ socketPath, kind }: ServerEntry): ControlClient {
  return new ControlClient({ kind: 'socket', socketPath, server: kind });
}

async function withApps(server: ServerEntry): Promise<ServerChoice> {
  if (server.kind === 'dev') return server;
  try {
    const apps = await clientOf(server).get<AppInList[]>('/apps');
    return { ...server, apps: apps.map(({ id }) => id) };
  } catch {
    // One that does not answer is not the one.
    return server;
  }
}

/** Throws `usage` where `text` is no address, or where the token is missing. */
function placeOf(text: string): ControlClient['place'] {
  if (text.startsWith('unix:')) {
    return { kind: 'socket', socketPath: text.replace(/^unix:(?:\/\/(?=\/))?/, '') };
  }
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new FulcrumError(
      'usage',
      `'${text}' is no address of an admin API: those are like https://admin.example.com, or unix:/run/fulcrum/admin.sock.`,
    );
  }
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw new FulcrumError('usage', 'Put the token into FULCRUM_TOKEN, not into the address.');
  }
  const token = nonEmpty(process.env['FULCRUM_TOKEN']) ?? keptToken(url.origin, process.env);
  if (token === null) {
    throw new FulcrumError(
      'usage',
      `${url.origin} asks for a token: put it into FULCRUM_TOKEN, or as a line '${url.origin} TOKEN' into ${credentialsPath(process.env)}. \`fulcrum tokens create\` on the server makes one.`,
    );
  }
  if (!/^[\x21-\x7e]+$/.test(token)) throw new FulcrumError('usage', 'FULCRUM_TOKEN does not hold a token.');
  if (url.protocol === 'http:' && !['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)) {
    process.stderr.write(`warning: ${url.origin} is not encrypted, and the token goes over it.\n`);
  }
  return { kind: 'url', url, token };
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}
