import { readdirSync, type Dirent } from 'node:fs';
import { join } from 'node:path';

/** Nobody edits by hand what has more folders than this; watching them all would cost more than it gives. */
const MAX_FOLDERS = 500;

/** The folders that a program's own files may lie in: `cwd` and those below, but for hidden and installed ones. */
export function programFolders(cwd: string): string[] {
  const folders = [cwd];
  for (let i = 0; i < folders.length && folders.length < MAX_FOLDERS; i++) {
    for (const entry of entriesOf(folders[i]!)) {
      if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules') {
        folders.push(join(folders[i]!, entry.name));
      }
    }
  }
  return folders.slice(0, MAX_FOLDERS);
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return []; // it has gone meanwhile
  }
}
