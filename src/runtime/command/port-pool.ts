import { createServer } from 'node:net';
import { FulcrumError } from '../../base/errors.ts';
import { exhaustedCode, resourcesExhausted } from '../../base/exhausted.ts';

const ATTEMPTS = 20;

/**
 * Chooses loopback ports for programs to listen on. A port is chosen by binding to it and letting it go, so another
 * process may take it before the program does; two starts of this server never get the same one.
 */
export class PortPool {
  readonly #taken = new Set<number>();

  /** A port that is free on both loopback addresses. Throws `start-failed` where the system has none left, `resources-exhausted` where it has no descriptor to try one with. */
  async take(): Promise<number> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const port = await freePort();
      if (port instanceof Error)
        throw resourcesExhausted('No port could be chosen', exhaustedCode(port)!, port);
      if (port === null || this.#taken.has(port)) continue;
      this.#taken.add(port);
      return port;
    }
    throw new FulcrumError(
      'start-failed',
      'The system has no free TCP port for the component to listen on.',
      {
        details: { output: '' },
      },
    );
  }

  give(port: number): void {
    this.#taken.delete(port);
  }
}

/** Whether somebody holds `port` on a loopback address. */
export async function isPortHeld(port: number): Promise<boolean> {
  return (await bind('127.0.0.1', port)) === 'held' || (await bind('::1', port)) === 'held';
}

async function freePort(): Promise<number | null | Error> {
  const port = await bind('127.0.0.1', 0);
  if (typeof port !== 'number') return port instanceof Error ? port : null;
  // A program that binds to every address needs the same port of IPv6 too, where the machine has that.
  return (await bind('::1', port)) === 'held' ? null : port;
}

/** Binds and lets go. @returns the port, or the error where the system has no descriptor for it. */
function bind(host: string, port: number): Promise<number | 'held' | 'impossible' | Error> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'EADDRINUSE' ? 'held' : exhaustedCode(error) === null ? 'impossible' : error),
    );
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(bound));
    });
  });
}
