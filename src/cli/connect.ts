import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { chooseServer } from '../control/choose-server.ts';
import { listServers, type ServerEntry } from '../control/registry.ts';
import { ControlClient } from './client.ts';

export interface Connection {
  readonly client: ControlClient;
  readonly server: ServerEntry;
}

/** The server that a command means, see `chooseServer`. Rejects with `server-unreachable` or `usage`. */
export async function connectToServer(app: string | undefined): Promise<Connection> {
  const [cwd, servers] = await Promise.all([realpath(process.cwd()), listServers()]);
  const folder = app === undefined ? undefined : await realpath(resolve(app)).catch(() => app);
  const exists = folder !== undefined && servers.some((server) => server.directory === folder);
  const server = chooseServer(cwd, servers, exists ? folder : app);
  return { client: new ControlClient(server.socketPath), server };
}
