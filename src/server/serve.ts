import { mkdir, realpath } from 'node:fs/promises';
import { systemClock } from '../base/clock.ts';
import { asFulcrumError, FulcrumError, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { LogEntry } from '../model/log.ts';
import { DataLock } from './data-lock.ts';
import { Predecessor, refuseAsFirstProcess, Successor } from './handover.ts';
import { FulcrumServer, type ServerAddresses } from './server.ts';
import type { ServerOptions } from './server-options.ts';
import { inheritedSockets, tellServiceManager } from './service-manager.ts';

export interface ServeOptions extends ServerOptions {
  /** What the server says of itself as it goes: for a terminal, or the system's journal. */
  readonly onLine: (entry: LogEntry) => void;
}

export interface RunningServer extends ServerAddresses {
  /** Resolves when the server has ended: told to, or because its successor serves. */
  readonly ended: Promise<void>;
  /** Ends it in order. */
  stop(): void;
  /** Starts a successor that takes over, and ends once that serves. Rejects with `start-failed` or `conflict`; then it goes on. */
  restart(): Promise<void>;
}

/**
 * Runs a server until it is told to end. Rejects where it cannot start: `conflict` (another server has the data), `port-in-use`,
 * `certificate-invalid`, `config-invalid`, `store-failed`.
 */
export async function startServer({ onLine, ...given }: ServeOptions): Promise<RunningServer> {
  const predecessor = Predecessor.find();
  await mkdir(given.dataDirectory, { recursive: true, mode: 0o711 });
  const options = { ...given, dataDirectory: await realpath(given.dataDirectory) };
  const sockets = predecessor?.sockets ?? inheritedSockets(process.env, process.pid);
  let lock = predecessor === null ? await DataLock.take(options.dataDirectory) : null;
  const ended = Promise.withResolvers<void>();
  let ending: Promise<void> | null = null;
  let restarting: Promise<void> | null = null;
  const leaving = new AbortController();

  /** @param replaced a successor is what the service manager looks at now. */
  const end = (replaced: boolean): Promise<void> =>
    (ending ??= (async () => {
      if (!replaced) {
        leaving.abort(new FulcrumError('shutting-down', 'The server has been told to end.'));
        await tellServiceManager(process.env, 'STOPPING=1');
      }
      await server.close(true);
      // A successor on its way ends with us.
      if (!replaced) await restarting?.catch(() => undefined);
      await lock?.release();
      ended.resolve();
    })());
  const restart = (): Promise<void> => {
    if (ending !== null) return Promise.reject(new FulcrumError('shutting-down', 'The server ends already.'));
    restarting ??= handOver(server, lock!, leaving.signal, () => void end(true)).finally(
      () => (restarting = null),
    );
    return restarting;
  };

  let server: FulcrumServer;
  try {
    server = await FulcrumServer.prepare({
      options,
      clock: systemClock,
      isSuccessor: predecessor !== null,
      stop: () => void end(false),
      restart,
    });
  } catch (error) {
    predecessor?.failed(error);
    await lock?.release();
    throw asFulcrumError(error);
  }
  passOn(server, onLine);
  try {
    if (predecessor !== null) server.keepFor(await predecessor.whenToServe(server.failed));
    const addresses = await server.open(sockets);
    // Last of all that can fail: until then the old server has it, and goes on with it.
    if (predecessor !== null) lock = await DataLock.takeOver(options.dataDirectory, predecessor.pid);
    predecessor?.serving();
    await server.lead();
    await tellServiceManager(process.env, 'READY=1', `MAINPID=${process.pid}`);
    if (predecessor?.stopped.aborted === true) void end(false);
    else predecessor?.stopped.addEventListener('abort', () => void end(false), { once: true });
    return { ...addresses, ended: ended.promise, stop: () => void end(false), restart };
  } catch (error) {
    await server.close(false);
    await lock?.release();
    predecessor?.failed(error);
    throw asFulcrumError(error);
  }
}

/** Has a successor serve in our place, and begins to end. Rejects where there is none; then all is as before. */
async function handOver(
  server: FulcrumServer,
  lock: DataLock,
  leaving: AbortSignal,
  end: () => void,
): Promise<void> {
  refuseAsFirstProcess(process.pid);
  const { logger } = server.host;
  const { work } = server;
  if (work !== null) {
    throw new FulcrumError('conflict', `${work} just now. Restart when that is done.`, { retryAfterS: 5 });
  }
  server.holdChanges('The server is being restarted, and takes changes again in a moment.');
  let successor: Successor | null = null;
  try {
    successor = await Successor.start(server.sockets, leaving);
    const lost = Object.entries(successor.failed).filter(([app]) => !server.failed.has(app));
    if (lost.length > 0) {
      await successor.abandon();
      const list = lost.map(([app, why]) => `${app}: ${why}`).join('; ');
      throw new FulcrumError(
        'start-failed',
        `The new server could not bring up what serves here, so this one goes on: ${list}.`,
      );
    }
    await server.restFromChanges();
    await successor.serve(server.held);
    logger.info({ pid: successor.pid }, 'the new server serves; this one finishes what it has begun');
  } catch (error) {
    // It has ended, perhaps with the lock in its hand.
    if (successor !== null) await takeBack(lock, successor.pid, logger);
    server.holdChanges(null);
    const why = messageOf(error);
    logger.error({ error: why }, `the server could not be replaced: ${why}`);
    throw error;
  }
  await server.unregister();
  end();
}

async function takeBack(lock: DataLock, from: number, logger: Logger): Promise<void> {
  await lock.takeBack(from).catch((error: unknown) => {
    logger.error({ error: messageOf(error) }, 'the lock of the data could not be taken back');
  });
}

const STARTUP_LINES = 500;

/** What the server says of itself, not its components' output and not every request. */
function passOn({ host: { log } }: FulcrumServer, onLine: (entry: LogEntry) => void): void {
  const isOwn = ({ component, stream }: LogEntry): boolean => stream === 'platform' && component === '-';
  for (const entry of log.query({ limit: STARTUP_LINES }).filter(isOwn)) onLine(entry);
  log.follow({}, (batch) => {
    for (const entry of batch.entries.filter(isOwn)) onLine(entry);
  });
}
