import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export type Files = Readonly<Record<string, string>>;

export interface AppFolder {
  readonly path: string;
  /** Writes a file as an editor does, in one step. */
  write(file: string, text: string): Promise<void>;
  remove(file: string): Promise<void>;
}

/** What something lasts for: a test, or several. */
export interface Span {
  after(end: () => unknown): void;
}

/** An app in a folder of its own, gone when the test ends. */
export async function appFolder(t: Span, files: Files, within = tmpdir()): Promise<AppFolder> {
  const path = await realpath(await mkdtemp(join(within, 'fulcrum-e2e-')));
  t.after(() => rm(path, { recursive: true, force: true, maxRetries: 5 }));
  const folder: AppFolder = {
    path,
    async write(file, text) {
      const target = join(path, file);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, text);
    },
    remove: (file) => rm(join(path, file)),
  };
  for (const [file, text] of Object.entries(files)) await folder.write(file, text);
  return folder;
}

/** A config file with these components, given as the source text of an object. */
export function config(components: string, more = ''): string {
  return `import { defineApp, secret } from 'fulcrum';\nvoid secret;\nexport default defineApp({ name: 'test', ${more} components: ${components} });\n`;
}
