import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FulcrumError } from '../base/errors.ts';
import { randomText } from '../base/ids.ts';
import { startOf } from './process-start.ts';

/** Who has a data directory. */
interface Holder {
  readonly pid: number;
  /** In the kernel's ticks, where it tells: with the pid it names one process for all time. */
  readonly startedAt: string | null;
}

const FILE = 'server.lock';

/**
 * The right to be the one server of a data directory. Held by a file that names a process: where that one lives no longer the lock is
 * worth nothing, so that nobody has to remove it by hand after a crash.
 */
export class DataLock {
  readonly #directory: string;
  readonly #path: string;
  readonly #own: string;

  /** Rejects with `conflict` where another server has the directory. */
  static async take(directory: string): Promise<DataLock> {
    const lock = new DataLock(directory);
    for (let tries = 0; tries < 10; tries++) {
      if (await lock.#create()) return lock;
      const found = await lock.#read();
      if (found === null) continue;
      const holder = parse(found);
      if (holder !== null && isAlive(holder)) throw taken(directory, holder);
      await lock.#removeStale(found);
    }
    throw new FulcrumError('conflict', `The lock ${lock.#path} changes hands all the time. Try again.`);
  }

  /** Takes it from the process `pid`, which has it and has agreed. Rejects with `conflict` where another has it. */
  static async takeOver(directory: string, pid: number): Promise<DataLock> {
    const lock = new DataLock(directory);
    await lock.#replace(await lock.#read(), pid);
    return lock;
  }

  private constructor(directory: string) {
    this.#directory = directory;
    this.#path = join(directory, FILE);
    const { pid } = process;
    this.#own = JSON.stringify({ pid, startedAt: startOf(pid) } satisfies Holder);
  }

  /** Takes it again from the process `pid`, which took it over and has ended. Nothing happens where we have it. Rejects with `conflict` where another has. */
  async takeBack(pid: number): Promise<void> {
    const found = await this.#read();
    if (found !== this.#own) await this.#replace(found, pid);
  }

  /** Gives it back; nothing happens where a successor has it. */
  async release(): Promise<void> {
    if ((await this.#read()) === this.#own) await rm(this.#path, { force: true });
  }

  async #replace(found: string | null, pid: number): Promise<void> {
    const holder = parse(found ?? '');
    if (holder !== null && holder.pid !== pid && isAlive(holder)) throw taken(this.#directory, holder);
    await rename(await this.#draft(), this.#path);
  }

  /** By a link, which is there whole or not at all, and never takes the place of another. */
  async #create(): Promise<boolean> {
    const draft = await this.#draft();
    try {
      await link(draft, this.#path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(draft, { force: true });
    }
  }

  async #draft(): Promise<string> {
    const draft = `${this.#path}.${randomText(8)}`;
    await writeFile(draft, this.#own, { mode: 0o600, flag: 'wx' });
    return draft;
  }

  async #read(): Promise<string | null> {
    return await readFile(this.#path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
  }

  /** Another may have found it stale as well, and have taken it since: then it is put back. */
  async #removeStale(found: string): Promise<void> {
    const aside = `${this.#path}.${randomText(8)}`;
    try {
      await rename(this.#path, aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    if ((await readFile(aside, 'utf8')) !== found) await link(aside, this.#path).catch(() => undefined);
    await rm(aside, { force: true });
  }
}

function parse(text: string): Holder | null {
  try {
    const { pid, startedAt } = JSON.parse(text) as Partial<Holder>;
    return Number.isSafeInteger(pid) ? { pid: pid!, startedAt: startedAt ?? null } : null;
  } catch {
    return null;
  }
}

function isAlive({ pid, startedAt }: Holder): boolean {
  const now = startOf(pid);
  if (startedAt !== null && now !== null) return now === startedAt;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function taken(directory: string, { pid }: Holder): FulcrumError {
  return new FulcrumError(
    'conflict',
    `Another Fulcrum server (pid ${pid}) runs on ${directory}. End it first, or choose another folder with --data; to replace it by a new process without losing a request, use \`fulcrum restart\`.`,
    { details: { pid } },
  );
}
