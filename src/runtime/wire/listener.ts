import { createHash, timingSafeEqual } from 'node:crypto';
import { chmod, mkdir, stat, unlink } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { adoptedSocket } from '../../base/adopted-socket.ts';
import type { Clock } from '../../base/clock.ts';
import { descriptorOf } from '../../base/descriptor-of.ts';
import { FulcrumError } from '../../base/errors.ts';
import { secretToken } from '../../base/ids.ts';
import type { Logger } from '../../base/log.ts';
import { ReadBuffer } from '../../base/read-buffer.ts';
import { WireConnection, type ConnectionHandler } from './connection.ts';
import { FRAME, PROTOCOL_MAJOR, PROTOCOL_MINOR } from './frames.ts';
import { MAX_HELLO_BYTES, MAX_INSTANCE_CHANNELS, MAX_INSTANCE_STREAMS } from './limits.ts';
import { readHello, type Hello } from './messages.ts';
import { protocolError } from './protocol-error.ts';

/** A connection whose peer has shown the token of the instance that was expected. */
export interface Admitted {
  readonly connection: WireConnection;
  /** The minor version that both speak. */
  readonly minor: number;
}

export interface Expected {
  /** Good for one connection. */
  readonly token: string;
  readonly admitted: Promise<Admitted>;
  /** The instance is expected no longer; its token is worth nothing from now on. */
  cancel(): void;
}

/** sun_path of Linux holds 108 bytes with its final zero, that of macOS 104. */
const MAX_PATH_BYTES = process.platform === 'darwin' ? 103 : 107;
/** Within this a connection has to show its token. */
const HELLO_TIMEOUT_MS = 5_000;
/** Connections that have not yet shown one; one more is dropped. */
const MAX_STRANGERS = 64;

/** What one read of an instance's socket gives at most. The socket may hold more; 1 MB at once made no difference. */
const READ_BYTES = 256 * 1024;

interface Waiting {
  readonly digest: Buffer;
  readonly admit: (admitted: Admitted) => void;
}

/** The server's end of the wire: one Unix socket, at which each instance presents its own one-time token. */
export class WireListener {
  readonly socketPath: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #server: Server;
  readonly #widen: ((descriptor: number) => void) | null;
  readonly #waiting = new Map<string, Waiting>();
  readonly #connections = new Set<WireConnection>();
  #strangers = 0;

  /**
   * Throws `internal` where the path is too long or its folder open to others, and `port-in-use` where another server
   * listens there.
   * @param mode of the socket; its folder is closed to other users in any case.
   * @param widen has a connection of an instance hold more of what is sent to it.
   */
  static async open(
    socketPath: string,
    clock: Clock,
    logger: Logger,
    mode = 0o600,
    widen: ((descriptor: number) => void) | null = null,
  ): Promise<WireListener> {
    if (Buffer.byteLength(socketPath) > MAX_PATH_BYTES) {
      throw new FulcrumError(
        'internal',
        `The socket's path ${socketPath} is longer than the ${MAX_PATH_BYTES} bytes that the system allows. Choose a shorter folder.`,
      );
    }
    await privateFolder(dirname(socketPath));
    await removeStale(socketPath);
    const listener = new WireListener(socketPath, clock, logger, widen);
    await listener.#listen(mode);
    return listener;
  }

  private constructor(
    socketPath: string,
    clock: Clock,
    logger: Logger,
    widen: ((descriptor: number) => void) | null,
  ) {
    this.#widen = widen;
    this.socketPath = socketPath;
    this.#clock = clock;
    this.#logger = logger;
    this.#server = createServer({ pauseOnConnect: false }, (socket) => this.#connected(socket));
    this.#server.on('error', (error) =>
      logger.error({ error: error.message }, 'the instances’ socket failed'),
    );
  }

  /** Makes a token for `instance`. */
  expect(instance: string): Expected {
    const token = secretToken();
    const { promise, resolve } = Promise.withResolvers<Admitted>();
    const waiting: Waiting = { digest: digest(token), admit: resolve };
    this.#waiting.set(instance, waiting);
    return {
      token,
      admitted: promise,
      cancel: () => {
        if (this.#waiting.get(instance) === waiting) this.#waiting.delete(instance);
      },
    };
  }

  /** Ends every connection and removes the socket. */
  async close(): Promise<void> {
    this.#waiting.clear();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  async #listen(mode: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.socketPath, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    await chmod(this.socketPath, mode);
  }

  #connected(accepted: Socket): void {
    if (this.#strangers >= MAX_STRANGERS) {
      accepted.destroy();
      return;
    }
    this.#strangers++;
    const into = new ReadBuffer(READ_BYTES);
    const adopted = adoptedSocket(accepted, into, (bytes) => connection.receive(bytes));
    const socket = adopted ?? accepted;
    const door: ConnectionHandler = {
      control: (type, _flags, payload) => {
        if (type !== FRAME.HELLO) throw protocolError('a frame before HELLO');
        admit(readHello(payload));
      },
      opened: () => {
        throw protocolError('a stream before HELLO');
      },
    };
    const connection: WireConnection = new WireConnection({
      socket,
      adopts: adopted !== null,
      side: 'server',
      clock: this.#clock,
      handler: door,
      maxPeerStreams: MAX_INSTANCE_STREAMS + MAX_INSTANCE_CHANNELS,
      maxFrameBytes: MAX_HELLO_BYTES,
    });
    this.#connections.add(connection);
    let known = false;
    const settle = (): void => {
      if (known) return;
      known = true;
      this.#strangers--;
      timer.cancel();
    };
    const timer = this.#clock.after(HELLO_TIMEOUT_MS, () => {
      connection.close(protocolError('no token in time'));
      connection.destroy();
    });
    const admit = (hello: Hello): void => {
      const waiting = this.#take(hello);
      settle();
      connection.allow();
      const descriptor = descriptorOf(socket);
      if (descriptor !== null) this.#widen?.(descriptor);
      connection.handler = SILENT;
      waiting.admit({ connection, minor: Math.min(hello.minor, PROTOCOL_MINOR) });
    };
    void connection.closed.then((error) => {
      if (!known)
        this.#logger.warn(
          { reason: error?.message ?? 'closed' },
          'a connection to the instances’ socket was refused',
        );
      settle();
      into.release();
      this.#connections.delete(connection);
    });
  }

  /** The start that `hello` belongs to, which then waits no more. Throws where it belongs to none. */
  #take(hello: Hello): Waiting {
    if (hello.major !== PROTOCOL_MAJOR)
      throw protocolError(`version ${hello.major}, where ${PROTOCOL_MAJOR} is spoken`);
    const waiting = this.#waiting.get(hello.instance);
    const shown = digest(hello.token);
    // Compared in any case, and as digests, so that neither time nor length tells anything of a token.
    const same = timingSafeEqual(shown, waiting?.digest ?? NO_DIGEST);
    if (waiting === undefined || !same) throw protocolError('a token that is not, or no longer, expected');
    this.#waiting.delete(hello.instance);
    return waiting;
  }
}

/** Between HELLO and WELCOME the instance has nothing to say. */
const SILENT: ConnectionHandler = {
  control: () => {
    throw protocolError('a frame before WELCOME');
  },
  opened: () => {
    throw protocolError('a stream before WELCOME');
  },
};

const NO_DIGEST = Buffer.alloc(32);

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

async function privateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { mode, uid } = await stat(folder);
  if ((mode & 0o077) === 0 && uid === process.getuid?.()) return;
  throw new FulcrumError(
    'internal',
    `The folder ${folder} of the instances' socket must belong to this user and be closed to all others (chmod 700).`,
  );
}

/** Removes the socket of a server that has died; refuses to take that of one that lives. */
async function removeStale(path: string): Promise<void> {
  const answer = await new Promise<string>((resolve) => {
    const probe = connect(path, () => resolve('alive'));
    probe.on('connect', () => probe.destroy());
    probe.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
  });
  if (answer === 'alive') {
    throw new FulcrumError(
      'port-in-use',
      `Another server listens at ${path}. Stop it, or choose another folder.`,
    );
  }
  if (answer === 'ECONNREFUSED') await unlink(path);
}
