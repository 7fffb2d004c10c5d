/**
 * How one server process makes room for another on the same machine, without a connection being refused.
 *
 *   the old one                                the successor
 *   starts it, with the listening sockets ───▶ opens the store, brings the apps up
 *                                         ◀─── prepared (or failed: the old one goes on)
 *   says `serve`, changes nothing any more ──▶ accepts from the same sockets, writes itself down, takes the lock
 *                                         ◀─── serving
 *   accepts no more, drains, ends
 *
 * Where the old one is told to end meanwhile it says `stop` instead, and the successor ends too. Only a channel that closes without that
 * word tells of an old one that has died, so that nobody else serves.
 *
 * A process that is started inherits the sockets by number, as one of systemd's does: nothing is accepted from them before it says so.
 */
import { asClause } from '../base/clause.ts';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { FulcrumError, messageOf } from '../base/errors.ts';
import type { HeldTrees } from './deploys/held-trees.ts';
import type { OpenSocket } from './server.ts';
import type { InheritedSocket } from './service-manager.ts';

/** Set for a successor: the names of its sockets, from descriptor 4 on. */
const VARIABLE = 'FULCRUM_SUCCESSOR';
const FIRST_FD = 4;
const PREPARE_LIMIT_MS = 5 * 60_000;
const SERVE_LIMIT_MS = 60_000;
/** A successor that is to stop has so long to end what it has started. */
const STOP_LIMIT_MS = 10_000;
const MOST_MESSAGE_CHARS = 4_000;

type ToSuccessor = { readonly say: 'serve'; readonly held: readonly HeldTrees[] } | { readonly say: 'stop' };
type ToOld =
  | { readonly say: 'prepared'; readonly failed: Readonly<Record<string, string>> }
  | { readonly say: 'failed'; readonly message: string }
  | { readonly say: 'serving' };

/** The old server's side. */
export class Successor {
  readonly pid: number;
  /** Apps that it could not bring up, and why. */
  readonly failed: Readonly<Record<string, string>>;
  readonly #child: ChildProcess;
  readonly #leaving: AbortSignal;

  /**
   * Resolves when it is prepared. Rejects with `start-failed`, which says why it is not; then it has ended.
   * @param leaving aborts when this server is to end: then the successor is, too, whether it is prepared or serves already, and what waits for
   * it rejects with the signal's reason.
   */
  static async start(sockets: readonly OpenSocket[], leaving: AbortSignal): Promise<Successor> {
    leaving.throwIfAborted();
    const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...sockets.map(({ fd }) => fd)],
      env: { ...process.env, [VARIABLE]: sockets.map(({ name }) => name).join(':') },
      // What is pressed at the terminal of the old one is not meant for it.
      detached: true,
    });
    leaving.addEventListener('abort', () => void stopped(child), { once: true });
    try {
      const answer = await answerOf(child, PREPARE_LIMIT_MS);
      leaving.throwIfAborted();
      if (answer.say === 'prepared') return new Successor(child, answer.failed, leaving);
      throw notUp(answer.say === 'failed' ? answer.message : 'it said what nobody had asked');
    } catch (error) {
      throw await givenUp(child, leaving, error);
    }
  }

  private constructor(child: ChildProcess, failed: Readonly<Record<string, string>>, leaving: AbortSignal) {
    this.#child = child;
    this.#leaving = leaving;
    this.pid = child.pid!;
    this.failed = failed;
  }

  /**
   * Has it serve; resolves when it does. Rejects with `start-failed`; then it has ended.
   * @param held what of the data it must not tidy up.
   */
  async serve(held: readonly HeldTrees[]): Promise<void> {
    const answered = answerOf(this.#child, SERVE_LIMIT_MS);
    this.#child.send({ say: 'serve', held } satisfies ToSuccessor, () => undefined);
    try {
      const answer = await answered;
      this.#leaving.throwIfAborted();
      if (answer.say !== 'serving')
        throw notUp(answer.say === 'failed' ? answer.message : 'it does not serve');
    } catch (error) {
      throw await givenUp(this.#child, this.#leaving, error);
    }
    if (this.#child.connected) this.#child.disconnect();
    this.#child.unref();
  }

  /** It is not wanted after all. Resolves when it has ended. */
  async abandon(): Promise<void> {
    await stopped(this.#child);
  }
}

/** The successor's side. */
export class Predecessor {
  /** In the order in which they were passed. */
  readonly sockets: readonly InheritedSocket[];
  readonly pid = process.ppid;
  readonly #told = Promise.withResolvers<readonly HeldTrees[]>();
  readonly #stopped = new AbortController();

  /** Null where this process is nobody's successor. */
  static find(): Predecessor | null {
    const names = process.env[VARIABLE];
    // What is started from here is not one by itself.
    delete process.env[VARIABLE];
    if (names === undefined || process.send === undefined) return null;
    return new Predecessor(names === '' ? [] : names.split(':'));
  }

  private constructor(names: readonly string[]) {
    this.sockets = names.map((name, i) => ({ name, fd: FIRST_FD + i }));
    // Whoever ends this process before it serves does not mean the old one.
    const stop = (): void => {
      this.#stopped.abort();
      this.#told.resolve([]);
    };
    process.once('SIGTERM', stop);
    process.on('message', (message: ToSuccessor) => {
      if (message.say === 'stop') return stop();
      process.off('SIGTERM', stop);
      this.#told.resolve(message.held);
    });
    // It has died without a word: then nobody else serves.
    process.on('disconnect', () => this.#told.resolve([]));
  }

  /** Aborts when the old server ends and this one is to end as well. */
  get stopped(): AbortSignal {
    return this.#stopped.signal;
  }

  /**
   * Resolves when the old server lets us serve, with what it still uses; or when it has died. Rejects with `shutting-down` where it has
   * said that we are to stop.
   */
  async whenToServe(failed: ReadonlyMap<string, string>): Promise<readonly HeldTrees[]> {
    if (!this.stopped.aborted) this.#say({ say: 'prepared', failed: Object.fromEntries(failed) });
    const held = await this.#told.promise;
    if (!this.stopped.aborted) return held;
    throw new FulcrumError('shutting-down', 'It was told to end before it served.');
  }

  serving(): void {
    this.#say({ say: 'serving' });
  }

  failed(error: unknown): void {
    this.#say({ say: 'failed', message: messageOf(error).slice(0, MOST_MESSAGE_CHARS) });
  }

  #say(message: ToOld): void {
    if (process.connected) process.send!(message, undefined, undefined, () => undefined);
  }
}

/** A process that has been killed. */
async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await once(child, 'exit');
}

/** Has a successor end in order, and sees to it. Resolves when it has. */
function stopped(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
    return Promise.resolve();
  return new Promise((resolve) => {
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    child.once('exit', () => {
      clearTimeout(limit);
      resolve();
    });
    if (child.connected) child.send({ say: 'stop' } satisfies ToSuccessor, () => undefined);
    else child.kill('SIGTERM');
  });
}

/** Ends a successor that nothing came of. @returns why nothing did. */
async function givenUp(child: ChildProcess, leaving: AbortSignal, error: unknown): Promise<unknown> {
  if (!leaving.aborted) {
    child.kill('SIGKILL');
    await ended(child);
    return error;
  }
  await stopped(child);
  return leaving.reason;
}

function answerOf(child: ChildProcess, limitMs: number): Promise<ToOld> {
  return new Promise((resolve, reject) => {
    const settle = (work: () => void): void => {
      clearTimeout(timer);
      child.off('message', onMessage).off('exit', onExit).off('error', onError);
      work();
    };
    const onMessage = (message: ToOld): void => settle(() => resolve(message));
    const onExit = (code: number | null, signal: string | null): void =>
      settle(() => reject(notUp(`it ended (${signal ?? `exit code ${code}`})`)));
    const onError = (error: Error): void => settle(() => reject(notUp(error.message)));
    const timer = setTimeout(
      () => settle(() => reject(notUp(`it took longer than ${limitMs / 1_000} s`))),
      limitMs,
    );
    child.on('message', onMessage).on('exit', onExit).on('error', onError);
  });
}

function notUp(why: string): FulcrumError {
  return new FulcrumError(
    'start-failed',
    `The new server did not come up: ${asClause(why)}. This one goes on as before.`,
  );
}

/**
 * Throws `conflict` where nobody may take the place of the process `pid`. The first one of a container is the container: with its end the
 * kernel ends all the others, a successor too.
 */
export function refuseAsFirstProcess(pid: number): void {
  if (pid !== 1) return;
  throw new FulcrumError(
    'conflict',
    'This server is process 1 of its container, which would end with it. Replace the container instead; it ends in order when it is stopped.',
  );
}
