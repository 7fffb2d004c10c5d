import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { nearest } from '../base/suggest.ts';
import type { FulcrumError } from '../base/errors.ts';
import { configInvalid } from './issues.ts';

/** What a config file may be called. */
const CONFIG_FILES: readonly string[] = [
  'fulcrum.config.ts',
  'fulcrum.config.mts',
  'fulcrum.config.js',
  'fulcrum.config.mjs',
];

/** The path of the one config file in `directory`. Throws `config-invalid` where there is none, or more than one. */
export async function findConfigFile(directory: string): Promise<string> {
  const names = await namesIn(directory);
  if (names === null) throw noFolder(directory);
  const [first, ...others] = CONFIG_FILES.filter((name) => names.includes(name));
  if (first === undefined) throw await noConfig(directory, names);
  if (others.length > 0) {
    throw configInvalid(directory, [
      {
        path: '',
        found: [first, ...others].join(' and '),
        message: 'there is more than one config file',
        expected: 'one of them; delete or rename the others',
      },
    ]);
  }
  return join(directory, first);
}

function noFolder(directory: string): FulcrumError {
  return configInvalid(directory, [
    {
      path: '',
      found: 'no such folder',
      message: 'the folder of the app cannot be read',
      expected: 'a folder that holds a fulcrum.config.ts; `fulcrum init DIR` makes one',
    },
  ]);
}

async function noConfig(directory: string, names: readonly string[]): Promise<FulcrumError> {
  const near = nearest('fulcrum.config.ts', names);
  const above = near === null ? await folderAbove(directory) : null;
  return configInvalid(directory, [
    {
      path: '',
      found: near === null ? (above === null ? 'nothing' : `one in ${above}`) : `a file ${near}`,
      message: 'there is no config file in this folder',
      expected: 'fulcrum.config.ts (or .mts, .js, .mjs); `fulcrum init` makes a new app',
    },
  ]);
}

/** The nearest folder above `directory` that holds a config file. */
async function folderAbove(directory: string): Promise<string | null> {
  for (let folder = dirname(directory); ; folder = dirname(folder)) {
    const names = (await namesIn(folder)) ?? [];
    if (CONFIG_FILES.some((name) => names.includes(name))) return folder;
    if (folder === dirname(folder)) return null;
  }
}

async function namesIn(folder: string): Promise<string[] | null> {
  try {
    return await readdir(folder);
  } catch {
    return null;
  }
}
