import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Mode } from '../model/app.ts';
import { notChecked, type Finding } from './finding.ts';

const MAX_MANIFEST_BYTES = 1024 ** 2;
const MAX_FOLDERS_UP = 8;

/** Packages that by what they are need a process that stays. */
const STANDING: Readonly<Record<string, string>> = {
  'express-session': 'keeps sessions in memory, unless it is given a store',
  memorystore: 'keeps sessions in memory',
  'node-cron': 'ticks only while an instance runs',
  cron: 'ticks only while an instance runs',
  croner: 'ticks only while an instance runs',
  'node-schedule': 'ticks only while an instance runs',
  agenda: 'works only while an instance runs',
  bullmq: 'works only while an instance runs',
  bull: 'works only while an instance runs',
  'bee-queue': 'works only while an instance runs',
  chokidar: 'watches files only while an instance runs',
  ws: 'has WebSockets, which a function closes when its timeout is over',
  'socket.io': 'has WebSockets, which a function closes when its timeout is over',
};

/**
 * What is known of a command, whose code is not read: one note that says so and, on the way to a function, names the packages of its
 * package.json that need a process that stays. A command as a service is what it is anywhere.
 * @param cwd the command's folder; its package.json is looked for there and above.
 */
export function checkCommand(cwd: string, to: Mode): Finding[] {
  const found = to === 'function' ? dependenciesOf(cwd).filter((name) => Object.hasOwn(STANDING, name)) : [];
  const known = found.map((name) => `${name} ${STANDING[name]}`);
  const tail = known.length === 0 ? '' : ` Its package.json names ${known.join('; ')}.`;
  return [notChecked(`It is a command, whose code is not checked.${tail}`)];
}

function dependenciesOf(cwd: string): string[] {
  let folder = cwd;
  for (let i = 0; i < MAX_FOLDERS_UP; i++) {
    const names = dependenciesIn(join(folder, 'package.json'));
    if (names !== null) return names;
    if (folder === dirname(folder)) break;
    folder = dirname(folder);
  }
  return [];
}

/** Names in a package.json, in their order; null where there is none that can be read. */
function dependenciesIn(path: string): string[] | null {
  try {
    const text = readFileSync(path, 'utf8');
    if (text.length > MAX_MANIFEST_BYTES) return null;
    const { dependencies } = JSON.parse(text) as { dependencies?: unknown };
    return typeof dependencies === 'object' && dependencies !== null ? Object.keys(dependencies).sort() : [];
  } catch {
    return null;
  }
}
