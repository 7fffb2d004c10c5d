import { resolve } from 'node:path';
import type { AppSpec } from '../model/app.ts';
import { findConfigFile } from './config-file.ts';
import { readDraft } from './draft.ts';
import { fileIssues } from './files.ts';
import { groupIssues } from './group-rules.ts';
import { configInvalid } from './issues.ts';
import { routeClaims } from './route-claims.ts';
import { appSpec } from './spec.ts';

export interface LoadOptions {
  /** The app's folder. */
  readonly directory: string;
  /** What a config that is a function is told. */
  readonly environment: string;
  /** Runs the config file once and gives its default export as plain data, functions called and promises awaited. */
  readonly evaluate: (configPath: string, environment: string) => Promise<unknown>;
  /** On a server: the folder outside the app's that `storage` leads to by links. */
  readonly storageDirectory?: string;
}

/**
 * Loads the app of a folder: finds the config, evaluates it, validates the whole of it, fills in defaults.
 * The result is frozen through and through. Throws `config-invalid` with every issue there is (see `configInvalid`), or
 * whatever `evaluate` throws.
 */
export async function loadApp(options: LoadOptions): Promise<AppSpec> {
  const directory = resolve(options.directory);
  const { storageDirectory = null } = options;
  const configPath = await findConfigFile(directory);
  const draft = readDraft(await options.evaluate(configPath, options.environment));
  const issues = [
    ...draft.issues,
    ...groupIssues(draft),
    ...routeClaims(draft.components, draft.app.events?.endpoint),
    ...(await fileIssues(directory, draft.components, storageDirectory)),
  ];
  if (issues.length > 0) throw configInvalid(configPath, issues);
  return appSpec(draft, { directory, configPath, environment: options.environment, storageDirectory });
}
