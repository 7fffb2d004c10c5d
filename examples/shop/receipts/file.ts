import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { DATA } from '../shared/data.ts';

/** Receipts that were written, a file each. */
export class ReceiptFile {
  readonly #folder: URL;

  constructor(folder: URL = new URL('receipts/', DATA)) {
    this.#folder = folder;
  }

  /** Null where there is none (yet). @param id of an order. */
  read(id: string): Promise<string | null> {
    return readFile(this.#at(`${id}.html`), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
  }

  /** Whole or not at all: who looks for it finds no half of it. */
  async write(id: string, text: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const half = this.#at(`.${id}.${randomUUID()}`);
    await writeFile(half, text);
    await rename(half, this.#at(`${id}.html`));
  }

  #at(name: string): URL {
    return new URL(name, this.#folder);
  }
}
