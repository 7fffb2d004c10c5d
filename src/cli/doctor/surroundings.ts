import { createServer } from 'node:net';
import { messageOf } from '../../base/errors.ts';
import { listServers, newServerSocket, type ServerEntry } from '../../control/registry.ts';
import { fail, ok, warning, type Finding } from './finding.ts';

/** Ports and folders that a server needs. */
export async function checkSurroundings(): Promise<Finding[]> {
  const servers = await listServers();
  return Promise.all([
    checkPort('app port', 8080, servers),
    checkPort('admin port', 8081, servers),
    checkRuntimeFolder(),
  ]);
}

async function checkPort(name: string, port: number, servers: readonly ServerEntry[]): Promise<Finding> {
  const fault = await listenFault(port);
  if (fault === null) return ok(name, `${port} is free`);
  const owner = servers.find(({ gatewayUrl, adminUrl }) =>
    [gatewayUrl, adminUrl].some((url) => portOf(url) === port),
  );
  if (owner !== undefined)
    return ok(name, `${port} is used by Fulcrum itself (${owner.appName ?? 'serve'}, pid ${owner.pid})`);
  const found = fault === 'EADDRINUSE' ? `${port} is in use` : `${port} cannot be listened on (${fault})`;
  return warning(
    name,
    found,
    '`fulcrum dev` takes another one that is free; --port and --admin-port name one.',
  );
}

function listenFault(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(null)));
  });
}

function portOf(url: string | null): number | null {
  return url !== null && URL.canParse(url) ? Number(new URL(url).port) : null;
}

async function checkRuntimeFolder(): Promise<Finding> {
  try {
    const { socketPath } = await newServerSocket();
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(socketPath, () => server.close(() => resolve()));
    });
    return ok('runtime folder', socketPath.replace(/\/[^/]+$/, ''));
  } catch (error) {
    return fail(
      'runtime folder',
      messageOf(error),
      'Set XDG_RUNTIME_DIR to a folder of yours with mode 0700.',
    );
  }
}
