import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { asFulcrumError, FulcrumError } from '../base/errors.ts';

/**
 * Where to listen: an address; a file descriptor that listens already, such as one of systemd's; or the server that another process has
 * sent, which shares its socket with us.
 */
export type ListenAt =
  | { readonly port: number; readonly host: string }
  | { readonly fd: number }
  | { readonly server: Server };

export interface ListeningOptions {
  /** Each side of a connection is ended by itself. Not over TLS, where a client that ends its side has gone. */
  readonly allowHalfOpen: boolean;
  readonly accept: (socket: Socket) => void;
}

const BACKLOG = 4_096;

/** A socket that clients connect to. Closing it takes nothing from another process that has the same one. */
export class ListeningSocket {
  readonly server: Server;

  constructor({ allowHalfOpen, accept }: ListeningOptions) {
    this.server = createServer({ allowHalfOpen, noDelay: true }, accept);
  }

  /**
   * A server that came from another process accepts from the moment that it has come: to lose no connection, call this before the
   * handler of its message returns.
   *
   * Rejects with `port-in-use`, and with `config-invalid` where a file descriptor is no socket that listens.
   */
  async listen(at: ListenAt): Promise<{ port: number; host: string }> {
    await new Promise<void>((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void => reject(listenError(error, at));
      this.server.once('error', onError);
      this.#begin(at, () => {
        this.server.off('error', onError);
        this.server.on('error', () => undefined);
        resolve();
      });
    });
    const { port, address } = this.server.address() as AddressInfo;
    return { port, host: 'host' in at ? at.host : address };
  }

  /** Accepts no more. Where it never listened nothing happens. */
  close(): void {
    this.server.close(() => undefined);
  }

  #begin(at: ListenAt, listening: () => void): void {
    if ('server' in at) this.server.listen(at.server, BACKLOG, listening);
    else if ('fd' in at) this.server.listen({ fd: at.fd, backlog: BACKLOG }, listening);
    else this.server.listen({ port: at.port, host: at.host, backlog: BACKLOG }, listening);
  }
}

function listenError(error: NodeJS.ErrnoException, at: ListenAt): FulcrumError {
  if ('fd' in at) {
    const why = `The file descriptor ${at.fd} is no socket that can be listened on`;
    return new FulcrumError('config-invalid', `${why}: ${error.message}.`, { cause: error });
  }
  if (error.code === 'EADDRINUSE' && 'port' in at) {
    return new FulcrumError(
      'port-in-use',
      `Port ${at.port} on ${at.host} is in use. Stop the program that has it, or choose another port.`,
      { cause: error },
    );
  }
  return asFulcrumError(error);
}
