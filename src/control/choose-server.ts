import { relative, resolve, isAbsolute } from 'node:path';
import { FulcrumError } from '../base/errors.ts';
import type { ServerEntry } from './registry.ts';

/** A running server, and the apps on it (ids) where it was asked for them. */
export interface ServerChoice extends ServerEntry {
  readonly apps?: readonly string[];
}

/**
 * The server that a command in folder `cwd` means: the nearest app that holds `cwd`, else the one app below it, else the only
 * one there is. `explicitApp` names an app's folder (from `cwd`), its name or its id, and then nothing is guessed. Paths without symbolic links.
 * `option` is how the command lets one say which server: by an app, or by an address.
 *
 * Throws `server-unreachable` where none fits and `usage` where several do; both list what runs.
 */
export function chooseServer(
  cwd: string,
  servers: readonly ServerChoice[],
  explicitApp?: string,
  option: '--app' | '--url' | '--to' = '--app',
): ServerChoice {
  if (servers.length === 0) {
    throw new FulcrumError(
      'server-unreachable',
      option === '--app'
        ? 'No Fulcrum server is running. Start one with `fulcrum dev` in the folder of an app.'
        : `No Fulcrum server is running here. Start one with \`fulcrum serve --data DIR\`, or say where one is with \`${option} URL\`.`,
    );
  }
  if (explicitApp !== undefined) {
    const folder = resolve(cwd, explicitApp);
    const inFolder = servers.filter((server) => server.directory === folder);
    const named = servers.filter((server) => runs(server, explicitApp));
    const fitting = inFolder.length > 0 ? inFolder : named;
    // The app has been said already.
    const how = option === '--app' ? '--url' : option;
    return only(fitting, servers, how, `No server runs the app ${explicitApp}.`);
  }
  const around = servers.filter((server) => holds(server.directory, cwd));
  if (around.length > 0) {
    const depth = Math.max(...around.map((server) => server.directory.length));
    return only(
      around.filter((server) => server.directory.length === depth),
      servers,
      option,
    );
  }
  const below = servers.filter((server) => holds(cwd, server.directory));
  return only(below.length > 0 ? below : servers, servers, option);
}

function only(
  fitting: readonly ServerChoice[],
  servers: readonly ServerChoice[],
  option: '--app' | '--url' | '--to',
  noneFits = '',
): ServerChoice {
  if (fitting.length === 1) return fitting[0]!;
  if (fitting.length === 0) {
    throw new FulcrumError('server-unreachable', `${noneFits} These are running:\n${list(servers)}`);
  }
  const twins = new Set(fitting.map((server) => server.directory)).size === 1;
  throw new FulcrumError(
    'usage',
    twins && fitting.every(({ kind }) => kind === 'dev')
      ? `Several servers run the same app; end all but one:\n${list(fitting)}`
      : option === '--app'
        ? `Several servers are running; say which one with \`--app\`:\n${list(fitting)}`
        : `Several servers are running; say which one with \`${option}\`:\n${addresses(fitting, option)}`,
  );
}

function runs({ appName, apps = [] }: ServerChoice, app: string): boolean {
  return appName === app || apps.includes(app) || apps.some((id) => id.startsWith(`${app}@`));
}

function list(servers: readonly ServerChoice[]): string {
  return servers
    .map(
      (server) =>
        `  ${server.appName ?? 'fulcrum serve'}  ${server.directory}  ${server.gatewayUrl}  (pid ${server.pid})`,
    )
    .join('\n');
}

/** As they can be typed. */
function addresses(servers: readonly ServerChoice[], option: string): string {
  return servers
    .map(
      ({ socketPath, appName, directory, pid }) =>
        `  ${option} unix:${socketPath}\n      ${appName ?? 'fulcrum serve'}  ${directory}  (pid ${pid})`,
    )
    .join('\n');
}

/** Whether `path` is `folder` or below it. */
function holds(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith('../') && !isAbsolute(way));
}
