import { relative, sep } from 'node:path';
import type { Prepared } from './prepare.ts';

/** Folders that a program fills by itself: a change in one is no change of the program. */
const NOT_SOURCES = new Set(['node_modules']);
/**
 * What a person writes. A program writes too (logs, databases, caches), and were that taken for a save, it would be
 * restarted by its own output for ever.
 */
const WRITTEN_BY_PEOPLE =
  /\.(?:[cm]?[jt]sx?|vue|svelte|py|rb|php|go|java|kt|rs|exs?|cs|html?|hbs|ejs|pug|njk|css|graphql|sql|ya?ml|toml)$|(?:^|\/)(?:package|tsconfig)\.json$/;

/**
 * What a change of files means for an app: everything anew where the config is made of one of them, else the components
 * that are.
 * @param changed absolute paths.
 */
export function affectedBy(
  changed: ReadonlySet<string>,
  prepared: Pick<Prepared, 'revisions' | 'configSources'>,
): 'config' | ReadonlySet<string> {
  const components = new Set<string>();
  const revisions = [...prepared.revisions.values()].flatMap((revision) =>
    revision.kind === 'group' ? revision.members : revision,
  );
  const storage = [...prepared.revisions.values()].flatMap((revision) => revision.spec.storage);
  for (const path of changed) {
    if (prepared.configSources.has(path)) return 'config';
    for (const revision of revisions) {
      const touched =
        revision.kind === 'command'
          ? isProgramFile(path, revision.spec.cwd, storage)
          : revision.bundle.sources.includes(path);
      if (touched) components.add(revision.spec.name);
    }
  }
  return components;
}

/** Whether `path` may be part of the program in `cwd`: not hidden, not installed, not written by the app itself. */
function isProgramFile(path: string, cwd: string, storage: readonly string[]): boolean {
  if (
    !WRITTEN_BY_PEOPLE.test(path) ||
    !isInside(path, cwd) ||
    storage.some((folder) => isInside(path, folder))
  )
    return false;
  return !relative(cwd, path)
    .split(sep)
    .some((part) => part.startsWith('.') || NOT_SOURCES.has(part));
}

function isInside(path: string, folder: string): boolean {
  const inner = relative(folder, path);
  return inner !== '' && inner !== '..' && !inner.startsWith(`..${sep}`);
}
