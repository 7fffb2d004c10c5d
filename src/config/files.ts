import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { nearest } from '../base/suggest.ts';
import { waypoints } from '../base/waypoints.ts';
import type { ComponentDraft } from './draft.ts';
import { type ConfigIssue, type ConfigPath, anyOf, issueAt, quote } from './issues.ts';

const MODULE_ENDINGS: ReadonlySet<string> = new Set([
  '.ts',
  '.mts',
  '.cts',
  '.tsx',
  '.js',
  '.mjs',
  '.cjs',
  '.jsx',
]);
/** Names of a folder that an error lists where none is near. */
const MOST_LISTED = 6;

/**
 * Looks for every file and folder that the components name, relative to `directory`.
 * @param storageDirectory where storage may lead as well; null: nowhere but the app's folder.
 */
export async function fileIssues(
  directory: string,
  components: readonly ComponentDraft[],
  storageDirectory: string | null,
): Promise<ConfigIssue[]> {
  const found = await Promise.all(
    components.map((component) => ofComponent(directory, component, storageDirectory)),
  );
  return [
    ...found.flat(),
    ...(await nestedStorage(directory, components)),
    ...(await throughStorage(directory, components)),
  ];
}

/**
 * What is run, or served to everybody, at a path that leads through what a component stores: it could put a link there, to any folder of
 * whoever started the server.
 */
async function throughStorage(
  directory: string,
  components: readonly ComponentDraft[],
): Promise<ConfigIssue[]> {
  const stored = components.flatMap(({ name, values }) =>
    ('storage' in values ? (values.storage ?? []) : []).map((folder) => ({ name, folder })),
  );
  if (stored.length === 0) return [];
  const byFolder = new Map<string, { name: string; folder: string }>();
  const app = await realpath(directory);
  for (const each of stored) {
    const real = await realpathOfExisting(resolve(directory, each.folder));
    // That is told as what it is.
    if (!contains(real, app)) byFolder.set(real, each);
  }
  const issues: ConfigIssue[] = [];
  for (const { name, values } of components) {
    const keys = {
      ...('entry' in values && { entry: values.entry }),
      ...('cwd' in values && { cwd: values.cwd }),
      ...('static' in values && { static: values.static }),
    };
    for (const [key, value] of Object.entries(keys)) {
      if (value === undefined) continue;
      const passed = await waypoints(resolve(directory, value));
      const storage = passed
        .map((place) => byFolder.get(dirname(place)))
        .find((found) => found !== undefined);
      if (storage === undefined) continue;
      const message = `inside '${storage.folder}', which the component "${storage.name}" stores and could put a link into`;
      issues.push(
        issueAt(['components', name, key], value, { message, expected: 'a place that no component writes' }),
      );
    }
  }
  return issues;
}

/**
 * Storage inside another component's: whoever writes the outer folder could put a link in the place of the inner one, and the
 * other component would write where that leads.
 */
async function nestedStorage(
  directory: string,
  components: readonly ComponentDraft[],
): Promise<ConfigIssue[]> {
  const all = await Promise.all(
    components.flatMap(({ name, values }) =>
      ('storage' in values ? (values.storage ?? []) : []).map(async (folder, index) => ({
        name,
        folder,
        path: ['components', name, 'storage', index],
        real: await realpathOfExisting(resolve(directory, folder)),
      })),
    ),
  );
  // Of each folder the first two that store it: one of them is another than whoever asks.
  const byFolder = new Map<string, { name: string; folder: string }[]>();
  for (const { name, folder, real } of all) {
    const known = byFolder.get(real) ?? [];
    if (known.length < 2 && known[0]?.name !== name) byFolder.set(real, [...known, { name, folder }]);
  }
  return all.flatMap(({ name, folder, path, real }) => {
    const outer = foldersAbove(real)
      .flatMap((above) => byFolder.get(above) ?? [])
      .find((other) => other.name !== name);
    if (outer === undefined) return [];
    const message = `inside '${outer.folder}', which the component "${outer.name}" stores`;
    return [issueAt(path, folder, { message, expected: 'the same folder, or one beside it' })];
  });
}

function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let above = dirname(path); above !== dirname(above); above = dirname(above)) folders.push(above);
  return folders;
}

async function ofComponent(
  directory: string,
  component: ComponentDraft,
  storageDirectory: string | null,
): Promise<ConfigIssue[]> {
  const path = ['components', component.name];
  const { values } = component;
  const issues: (ConfigIssue | null)[] = [];
  if ('entry' in values && values.entry !== undefined) {
    issues.push(await entryIssue(directory, values.entry, [...path, 'entry']));
  }
  if ('cwd' in values && values.cwd !== undefined) {
    issues.push(await missing(directory, values.cwd, 'folder', [...path, 'cwd']));
  }
  if ('static' in values && values.static !== undefined) {
    issues.push(await staticIssue(directory, values.static, [...path, 'static']));
  }
  if ('storage' in values && values.storage !== undefined) {
    for (const [index, folder] of values.storage.entries()) {
      issues.push(await storageIssue(directory, folder, [...path, 'storage', index], storageDirectory));
    }
  }
  return issues.filter((issue) => issue !== null);
}

async function entryIssue(directory: string, entry: string, path: ConfigPath): Promise<ConfigIssue | null> {
  const absent = await missing(directory, entry, 'file', path);
  if (absent !== null || MODULE_ENDINGS.has(extname(entry))) return absent;
  return issueAt(path, entry, {
    message: 'not a JavaScript or TypeScript file',
    expected: `a file that ends in ${anyOf([...MODULE_ENDINGS])}; another program is a command`,
  });
}

async function staticIssue(directory: string, folder: string, path: ConfigPath): Promise<ConfigIssue | null> {
  const absent = await missing(directory, folder, 'folder', path);
  if (absent !== null) return absent;
  const [served, app] = await Promise.all([realpath(resolve(directory, folder)), realpath(directory)]);
  if (!contains(served, app)) return null;
  return issueAt(path, folder, {
    message: "it holds the app's own folder, so that its code and its .env would be served",
    expected: "a folder of its own, such as './public'",
  });
}

/** Storage need not exist yet, but what exists of it must lie inside the app's folder, wherever links lead. */
async function storageIssue(
  directory: string,
  folder: string,
  path: ConfigPath,
  storageDirectory: string | null,
): Promise<ConfigIssue | null> {
  const expected = "a folder inside the app's, such as './data'";
  if (isAbsolute(folder)) return issueAt(path, folder, { message: 'not a relative path', expected });
  const target = resolve(directory, folder);
  const [real, app] = await Promise.all([realpathOfExisting(target), realpath(directory)]);
  if (target === resolve(directory) || real === app) {
    return issueAt(path, folder, { message: "this is the app's folder itself", expected });
  }
  const kept = storageDirectory === null ? null : await realpathOfExisting(storageDirectory);
  const isKept = kept !== null && real !== kept && contains(kept, real);
  if (!contains(resolve(directory), target) || !(contains(app, real) || isKept)) {
    return issueAt(path, folder, { message: "outside the app's folder", expected });
  }
  const data = await realpathOfExisting(join(app, '.fulcrum'));
  if (contains(data, real) || contains(real, data)) {
    return issueAt(path, folder, { message: 'it meets .fulcrum, where the server keeps its data', expected });
  }
  return (await kindAt(target)) === 'file'
    ? issueAt(path, folder, { message: 'not a folder', expected })
    : null;
}

/** An issue where `name` is not there, or is not of the right kind. */
async function missing(
  directory: string,
  name: string,
  kind: 'file' | 'folder',
  path: ConfigPath,
): Promise<ConfigIssue | null> {
  const target = resolve(directory, name);
  const there = await kindAt(target);
  if (there === kind) return null;
  if (there !== null) {
    return issueAt(path, name, { message: `it is a ${there}`, expected: `a ${kind}` });
  }
  const { message, expected } = await whatIsThere(directory, target, kind);
  return issueAt(path, name, { message, expected });
}

/** Names the first folder on the way that is missing, or the nearest name in the last one that is there. */
async function whatIsThere(
  directory: string,
  target: string,
  kind: 'file' | 'folder',
): Promise<{ message: string; expected: string }> {
  let absent = target;
  while ((await kindAt(dirname(absent))) === null && dirname(absent) !== absent) absent = dirname(absent);
  const folder = dirname(absent);
  const wanted = absent === target ? kind : 'folder';
  const names = await namesIn(folder, wanted);
  const near = nearestName(basename(absent), names);
  const shown = (path: string): string => quote(asWritten(relative(directory, path)));
  const message = absent === target ? `there is no such ${kind}` : `there is no folder ${shown(absent)}`;
  if (near !== null) return { message, expected: shown(join(folder, near, relative(absent, target))) };
  const listed = names.slice(0, MOST_LISTED).map((name) => quote(name));
  const among = listed.length === 0 ? '' : `; in ${shown(folder)} there is ${listed.join(', ')}`;
  return { message, expected: `an existing ${kind}${among}${names.length > MOST_LISTED ? ', …' : ''}` };
}

/** Another ending of the same name is likelier than any typo. */
function nearestName(name: string, names: readonly string[]): string | null {
  const stem = basename(name, extname(name));
  return names.find((other) => basename(other, extname(other)) === stem) ?? nearest(name, names);
}

async function namesIn(folder: string, kind: 'file' | 'folder'): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const wanted = entries.filter((entry) => (kind === 'folder') === entry.isDirectory());
    return wanted
      .map((entry) => entry.name)
      .filter((name) => !name.startsWith('.') && name !== 'node_modules');
  } catch {
    return [];
  }
}

async function kindAt(path: string): Promise<'file' | 'folder' | 'other kind of file' | null> {
  try {
    const stats = await stat(path);
    return stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other kind of file';
  } catch {
    return null;
  }
}

/** The real path of the longest part of `path` that exists, with the rest appended. */
async function realpathOfExisting(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(await realpathOfExisting(parent), basename(path));
  }
}

function contains(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);
}

function asWritten(path: string): string {
  if (path === '') return '.';
  const slashed = path.split(sep).join('/');
  return slashed.startsWith('../') || isAbsolute(path) ? slashed : `./${slashed}`;
}
