import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FulcrumError } from '../base/errors.ts';
import { Builder } from '../build/builder.ts';
import { evaluateConfig } from '../build/evaluate-config.ts';
import { commandRevision, groupRevision, moduleRevision } from '../build/revision.ts';
import { readDotEnv } from '../config/dot-env.ts';
import { resolveValues } from '../config/env.ts';
import { loadApp } from '../config/load.ts';
import type { AppSpec, RunnableSpec } from '../model/app.ts';
import { revisionOf, type ModuleRevision, type Revision } from '../model/revision.ts';
import { membersOf, runnableOf, unitsOf } from '../model/units.ts';
import { sdkPath } from './places.ts';

/** An app that is ready to be deployed: config valid, secrets found, code built. */
export interface Prepared {
  readonly app: AppSpec;
  readonly env: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** What whoever sends events over HTTP has to show; null where no endpoint of the app takes any. */
  readonly eventToken: string | null;
  /** By what has instances: components, and groups instead of their members. */
  readonly revisions: ReadonlyMap<string, Revision>;
  /** Files that the config was made of: a change of one means to prepare all anew. */
  readonly configSources: ReadonlySet<string>;
}

export interface PrepareOptions {
  readonly directory: string;
  readonly environment: string;
  readonly builder: Builder;
  /** Secrets that do not come from `.env` files. They win over those that do. */
  readonly secrets?: ReadonlyMap<string, string> | undefined;
}

/**
 * Reads the config and builds what it names. Nothing that serves is touched, so a failure leaves everything as it was.
 * @throws FulcrumError `config-invalid`, `secret-missing` or `build-failed`.
 */
export async function prepare(options: PrepareOptions): Promise<Prepared> {
  const configSources = new Set(DOT_ENV_FILES.map((name) => join(options.directory, name)));
  const [app, dotEnv] = await Promise.all([
    loadApp({
      directory: options.directory,
      environment: options.environment,
      evaluate: async (configPath, environment) => {
        const evaluated = await evaluateConfig(configPath, {
          environment,
          sdkPath: sdkPath(),
          appDirectory: options.directory,
        });
        for (const source of evaluated.sources) configSources.add(source);
        return evaluated.config;
      },
    }),
    readDotEnv(options.directory),
  ]);
  const { env, eventToken } = resolveValues(app, {
    secrets: new Map([...dotEnv, ...(options.secrets ?? [])]),
  });
  const specs = runnableOf(app);
  await Promise.all(
    specs.flatMap((spec) => spec.storage).map((folder) => mkdir(folder, { recursive: true })),
  );
  const revisions = await Promise.all(specs.map((spec) => build(spec, env.get(spec.name) ?? {}, options)));
  return { app, env, eventToken, configSources, revisions: revisionsOf(app, revisions) };
}

/**
 * Builds anew only the components named, under the config as it was.
 * @param salt makes a command's revision another one, though its config is the same: its files have changed.
 */
export async function rebuild(
  previous: Prepared,
  components: ReadonlySet<string>,
  builder: Builder,
  salt: string,
): Promise<Prepared> {
  const revisions = await Promise.all(
    runnableOf(previous.app).map(async (spec) => {
      if (!components.has(spec.name)) return presentOf(previous, spec);
      const revision = await build(spec, previous.env.get(spec.name) ?? {}, {
        builder,
        directory: previous.app.directory,
      });
      return revision.kind === 'command' ? { ...revision, id: digest(`${revision.id} ${salt}`) } : revision;
    }),
  );
  return { ...previous, revisions: revisionsOf(previous.app, revisions) };
}

/**
 * @param outDirectory must be inside the app, so that packages which stay outside a bundle are found as Node always finds them.
 */
export function builderFor(directory: string, outDirectory: string): Builder {
  return new Builder({ appDirectory: directory, outDirectory, sdkPath: sdkPath() });
}

const DOT_ENV_FILES = ['.env', '.env.local'];

async function build(
  spec: RunnableSpec,
  env: Readonly<Record<string, string>>,
  { builder, directory }: Pick<PrepareOptions, 'builder' | 'directory'>,
): Promise<Revision> {
  if (spec.kind === 'command') return commandRevision(spec, env, directory);
  const { packages: _, strays: __, ...bundle } = await builder.bundle(spec);
  return moduleRevision(spec, env, bundle);
}

/** By unit: a group's is made of its members'. @param revisions of the components. */
export function revisionsOf(app: AppSpec, revisions: readonly Revision[]): Map<string, Revision> {
  const byName = new Map(revisions.map((revision) => [revision.spec.name, revision]));
  const units = unitsOf(app).map((unit): Revision => {
    if (unit.kind !== 'group') return byName.get(unit.name)!;
    return groupRevision(
      unit,
      membersOf(unit).map((name) => byName.get(name) as ModuleRevision),
    );
  });
  return new Map(units.map((revision) => [revision.spec.name, revision]));
}

function presentOf({ revisions }: Prepared, { name }: RunnableSpec): Revision {
  for (const revision of revisions.values()) {
    const found = revisionOf(revision, name);
    if (found !== null) return found;
  }
  throw new FulcrumError('internal', `There is no revision of ${name}.`);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
