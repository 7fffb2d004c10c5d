import { cp, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { FulcrumError } from '../../base/errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { print } from '../stdout.ts';
import { paint } from '../terminal.ts';
import { packageRoot, packageVersion } from '../../base/version.ts';
import { isCheckout } from '../version.ts';

export interface InitOptions {
  readonly name?: string;
}

/** Stored under other names, for npm keeps the real ones out of a package or reads them as its own. */
const RENAMED: Readonly<Record<string, string>> = {
  gitignore: '.gitignore',
  'package.json.template': 'package.json',
};
/** An app's name is no longer, and the new app is called so. */
const MAX_NAME = 41;

export async function init(directory: string | undefined, options: InitOptions): Promise<ExitCode> {
  const folder = resolve(directory ?? (await askForFolder()));
  const name = nameFor(folder, options.name);
  await assertEmpty(folder);
  await mkdir(folder, { recursive: true });
  await cp(join(packageRoot, 'templates', 'basic'), folder, { recursive: true });
  await finish(folder, { __NAME__: name, __FULCRUM_VERSION__: fulcrumDependency() });
  if (isCheckout()) await useSources(folder);

  const shown = relative(process.cwd(), folder);
  print(`Made the app ${paint('bold', name)} in ${shown === '' ? 'this folder' : shown}. Next:`);
  print('');
  print(`  ${shown === '' ? '' : `cd ${quoted(shown)} && `}npm install`);
  print('  npm run dev');
  return EXIT.ok;
}

async function askForFolder(): Promise<string> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new FulcrumError('usage', 'Say which folder to make the app in: fulcrum init DIR.');
  }
  const { text, isCancel } = await import('@clack/prompts');
  const answer = await text({
    message: 'Folder of the new app',
    placeholder: 'my-app',
    defaultValue: 'my-app',
  });
  if (isCancel(answer)) process.exit(EXIT.interrupted);
  return answer;
}

/** What npm takes as a package's name and Fulcrum as an app's. */
function nameFor(folder: string, given: string | undefined): string {
  const wanted =
    given ??
    basename(folder)
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-');
  const name = given === undefined ? wanted.replaceAll(/^[^a-z]+|-+$/g, '') : wanted;
  if (/^[a-z][a-z0-9-]*$/.test(name) && name.length <= MAX_NAME) return name;
  throw new FulcrumError(
    'usage',
    `'${given ?? basename(folder)}' gives no name for the app: small letters, digits and hyphens, a letter first. Give one with --name.`,
  );
}

async function assertEmpty(folder: string): Promise<void> {
  let found: string[];
  try {
    found = await readdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return;
    const why = code === 'ENOTDIR' ? 'is a file' : `cannot be read (${code})`;
    throw new FulcrumError('usage', `${folder} ${why}. Name a new folder.`, { cause: error });
  }
  // A repository that was just made is as good as empty.
  const inTheWay = found.filter((file) => file !== '.git');
  if (inTheWay.length === 0) return;
  const some = inTheWay.slice(0, 3).join(', ');
  throw new FulcrumError(
    'usage',
    `${folder} is not empty (${some}${inTheWay.length > 3 ? ', …' : ''}). Name a new folder; nothing was written.`,
  );
}

async function finish(folder: string, values: Readonly<Record<string, string>>): Promise<void> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const file of files.filter((each) => each.isFile())) {
    const path = join(file.parentPath, file.name);
    if (relative(folder, path).startsWith('.git/')) continue;
    const text = await readFile(path, 'utf8');
    const filled = text.replaceAll(/__[A-Z_]+__/g, (placeholder) => values[placeholder] ?? placeholder);
    if (filled !== text) await writeFile(path, filled);
    const realName = RENAMED[file.name];
    if (realName !== undefined) await rename(path, join(file.parentPath, realName));
  }
}

/**
 * An app of a checkout uses its sources, for nothing is compiled there: Node and TypeScript are told which of the package's
 * exports these are.
 */
async function useSources(folder: string): Promise<void> {
  await edit(join(folder, 'package.json'), (text) =>
    text.replace('"node --test', '"node --conditions=fulcrum-source --test'),
  );
  await edit(join(folder, 'tsconfig.json'), (text) =>
    text.replace('"compilerOptions": {', '"compilerOptions": {\n    "customConditions": ["fulcrum-source"],'),
  );
}

async function edit(path: string, change: (text: string) => string): Promise<void> {
  await writeFile(path, change(await readFile(path, 'utf8')));
}

/** A checkout makes apps that use the checkout. */
function fulcrumDependency(): string {
  return isCheckout() ? `file:${packageRoot}` : `^${packageVersion()}`;
}

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
