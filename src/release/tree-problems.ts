import type { ReleaseFile } from '../model/release.ts';
import { folded, linkedPath, linkProblem, linksIn, pathProblem } from './release-path.ts';

export interface TreeProblem {
  /** Index into the files. */
  readonly index: number;
  readonly message: string;
}

/**
 * What is wrong with `files` as one tree: a bad path or link, two of one name, names that differ in case only, a file where others
 * have a folder, links that lead in a circle. At most `most` of them. Looks at nothing on disk.
 */
export function treeProblems(files: readonly ReleaseFile[], most: number): TreeProblem[] {
  const problems: TreeProblem[] = [];
  const spellings = new Map<string, string>();
  const folders = new Map<string, string>();
  const links = new Map<string, string>();
  const tell = (index: number, message: string): void => {
    if (problems.length < most) problems.push({ index, message });
  };

  for (const [index, file] of files.entries()) {
    if (problems.length >= most) return problems;
    const problem = pathProblem(file.path) ?? nameProblem(file.path, spellings, folders);
    if (problem !== null) {
      tell(index, problem);
      continue;
    }
    if (file.kind !== 'link') continue;
    const about = linkProblem(file.path, file.target);
    if (about === null) links.set(file.path, file.target);
    else tell(index, `is a link to ${shown(file.target)}, which ${about}`);
  }
  // A file may come before what it stands in the way of.
  for (const [index, file] of files.entries()) {
    const folder = folders.get(folded(file.path));
    if (folder !== undefined) tell(index, `is a ${file.kind}, and a folder of others`);
  }
  if (problems.length > 0) return problems;
  const realPath = linksIn(links);
  for (const [index, file] of files.entries()) {
    if (file.kind === 'link' && realPath(linkedPath(file.path, file.target)) === null)
      tell(index, 'is a link that leads in a circle');
  }
  return problems;
}

/** Notes down the name and the folders on its way; says what stands against them. */
function nameProblem(
  path: string,
  spellings: Map<string, string>,
  folders: Map<string, string>,
): string | null {
  const key = folded(path);
  const same = spellings.get(key);
  if (same === path) return 'is listed twice';
  if (same !== undefined) return `differs from ${shown(same)} in the case of letters only`;
  spellings.set(key, path);
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const folder = path.slice(0, end);
    const known = folders.get(folded(folder));
    if (known === folder) break;
    if (known !== undefined)
      return `lies in a folder that differs from ${shown(known)} in the case of letters only`;
    folders.set(folded(folder), folder);
  }
  return null;
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text);
}
