import { relative, resolve, isAbsolute } from 'node:path';
import { FulcrumError } from '../base/errors.ts';
import type { ServerEntry } from './registry.ts';

/**
 * The server that a command in folder `cwd` means: the nearest app that holds `cwd`, else the one app below it, else the only
 * one there is. `explicitApp` names an app's folder (from `cwd`) or its name, and then nothing is guessed. Paths without symbolic links.
 *
 * Throws `server-unreachable` where none fits and `usage` where several do; both list what runs.
 */
export function chooseServer(
  cwd: string,
  servers: readonly ServerEntry[],
  explicitApp?: string,
): ServerEntry {
  if (servers.length === 0) {
    throw new FulcrumError(
      'server-unreachable',
      'No Fulcrum server is running. Start one with `fulcrum dev` in the folder of an app.',
    );
  }
  if (explicitApp !== undefined) {
    const folder = resolve(cwd, explicitApp);
    const inFolder = servers.filter((server) => server.directory === folder);
    const named = servers.filter((server) => server.appName === explicitApp);
    return only(inFolder.length > 0 ? inFolder : named, servers, `No server runs the app ${explicitApp}.`);
  }
  const around = servers.filter((server) => holds(server.directory, cwd));
  if (around.length > 0) {
    const depth = Math.max(...around.map((server) => server.directory.length));
    return only(
      around.filter((server) => server.directory.length === depth),
      servers,
      '',
    );
  }
  const below = servers.filter((server) => holds(cwd, server.directory));
  return only(below.length > 0 ? below : servers, servers, '');
}

function only(
  fitting: readonly ServerEntry[],
  servers: readonly ServerEntry[],
  noneFits: string,
): ServerEntry {
  if (fitting.length === 1) return fitting[0]!;
  if (fitting.length === 0) {
    throw new FulcrumError('server-unreachable', `${noneFits} These are running:\n${list(servers)}`);
  }
  const twins = new Set(fitting.map((server) => server.directory)).size === 1;
  throw new FulcrumError(
    'usage',
    twins
      ? `Several servers run the same app; end all but one:\n${list(fitting)}`
      : `Several servers are running; say which one with \`--app DIR\`:\n${list(fitting)}`,
  );
}

function list(servers: readonly ServerEntry[]): string {
  return servers
    .map((server) => `  ${server.appName}  ${server.directory}  ${server.gatewayUrl}  (pid ${server.pid})`)
    .join('\n');
}

/** Whether `path` is `folder` or below it. */
function holds(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith('../') && !isAbsolute(way));
}
