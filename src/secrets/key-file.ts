import { link, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FulcrumError } from '../base/errors.ts';
import { randomText } from '../base/ids.ts';
import { keyOf } from './key-variable.ts';
import type { KeyHolder, Keys } from './keys.ts';
import type { SealKey } from './seal.ts';

const MAX_BYTES = 4_096;
const MAX_KEYS = 50;
/** A change takes a few milliseconds. A lock this old was left by a process that was killed. */
const LOCK_STALE_MS = 5_000;
const LOCK_LIMIT_MS = 20_000;
const LOCK_PAUSE_MS = 20;
const HEAD = [
  "# The key for Fulcrum's secrets: its id, and 32 bytes in base64. Further lines are keys of before: they open what is older, such as backups.",
  '# Keep it from others, and keep a copy apart from the data: without it the secrets cannot be read.',
];

/** Keys in a file that only its owner can read. Every change is whole or has not happened. */
export class KeyFile implements KeyHolder {
  readonly label: string;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    this.label = `the key file ${path}`;
  }

  async read(): Promise<Keys | null> {
    let file: FileHandle;
    try {
      file = await open(this.#path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw this.#unusable(`cannot be read (${(error as NodeJS.ErrnoException).code})`, error);
    }
    try {
      // Of what was opened, not of what the name leads to a moment later.
      const stats = await file.stat();
      if (!stats.isFile()) throw this.#unusable('is no file');
      if ((stats.mode & 0o077) !== 0) {
        throw this.#unusable(
          'can be read by others; run `chmod 600` on it, and change the key if somebody may have',
        );
      }
      if (![userInfo().uid, 0].includes(stats.uid)) throw this.#unusable('belongs to another user');
      if (stats.size > MAX_BYTES) throw this.#unusable('is too long for one');
      return this.#parse(await file.readFile('utf8'));
    } finally {
      await file.close();
    }
  }

  async change(change: (keys: Keys) => Keys): Promise<Keys> {
    const unlock = await this.#lock();
    try {
      const before = await this.read();
      if (before === null) throw this.#unusable('is not there any more');
      const keys = change(before);
      if (1 + keys.retired.length > MAX_KEYS) {
        throw new FulcrumError(
          'conflict',
          `The key file ${this.#path} holds ${MAX_KEYS} keys already. Remove those that nobody needs with \`fulcrum secrets forget-keys\`.`,
        );
      }
      await this.#replace(keys);
      return keys;
    } finally {
      await unlock();
    }
  }

  async #replace(keys: Keys): Promise<void> {
    const partial = await this.#writePartial(keys);
    try {
      await rename(partial, this.#path);
    } catch (error) {
      await rm(partial, { force: true });
      throw this.#unusable(`cannot be written (${(error as NodeJS.ErrnoException).code})`, error);
    }
    await syncFolder(dirname(this.#path));
  }

  async create(key: SealKey): Promise<Keys> {
    const keys = { current: key, retired: [] };
    const partial = await this.#writePartial(keys);
    try {
      // Unlike a rename it does not replace what another server has just made.
      await link(partial, this.#path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST') throw this.#unusable(`cannot be made (${code})`, error);
    } finally {
      await rm(partial, { force: true });
    }
    await syncFolder(dirname(this.#path));
    return (await this.read())!;
  }

  /** Of two servers that change the keys at once, one would take the other's new key away. @returns what ends it. */
  async #lock(): Promise<() => Promise<void>> {
    const path = `${this.#path}.lock`;
    const until = performance.now() + LOCK_LIMIT_MS;
    for (;;) {
      try {
        await (await open(path, 'wx', 0o600)).close();
        return () => rm(path, { force: true });
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'EEXIST') throw this.#unusable(`cannot be changed (${code})`, error);
      }
      const madeMs = (await stat(path).catch(() => null))?.mtimeMs ?? Date.now();
      if (Date.now() - madeMs > LOCK_STALE_MS) await rm(path, { force: true });
      else if (performance.now() > until) {
        throw new FulcrumError(
          'conflict',
          `Another server is changing ${this.label}. Try again in a moment.`,
        );
      } else await sleep(LOCK_PAUSE_MS);
    }
  }

  async #writePartial({ current, retired }: Keys): Promise<string> {
    const partial = `${this.#path}.${randomText(8)}.part`;
    const lines = [current, ...retired].map(({ id, bytes }) => `${id} ${bytes.toString('base64')}`);
    try {
      const file = await open(partial, 'wx', 0o600);
      try {
        await file.writeFile(`${[...HEAD, ...lines].join('\n')}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      await rm(partial, { force: true });
      throw this.#unusable(`cannot be written (${(error as NodeJS.ErrnoException).code})`, error);
    }
    return partial;
  }

  #parse(text: string): Keys {
    const lines = text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'));
    if (lines.length === 0 || lines.length > MAX_KEYS) {
      throw this.#unusable(`has to hold one key, or up to ${MAX_KEYS} with those of before`);
    }
    const [current, ...retired] = lines.map((line) => this.#keyIn(line));
    return { current: current!, retired };
  }

  /** Its id, which somebody who brings a key of their own may leave out, tells a key that was copied badly. */
  #keyIn(line: string): SealKey {
    const parts = line.split(/\s+/);
    const key = keyOf(parts.at(-1)!, this.label);
    if (parts.length > 2 || (parts.length === 2 && parts[0] !== key.id)) {
      throw this.#unusable(
        `says that its key is ${parts[0]}, and what it holds is ${key.id}: it was damaged`,
      );
    }
    return key;
  }

  #unusable(why: string, cause?: unknown): FulcrumError {
    return new FulcrumError('secret-key-invalid', `The key file ${this.#path} ${why}.`, { cause });
  }
}

/** So that a rename in it outlives a loss of power. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
