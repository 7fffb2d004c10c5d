import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Builder } from '../build/builder.ts';
import { evaluateConfig } from '../build/evaluate-config.ts';
import { commandRevision, moduleRevision } from '../build/revision.ts';
import { readDotEnv } from '../config/dot-env.ts';
import { resolveValues } from '../config/env.ts';
import { loadApp } from '../config/load.ts';
import type { AppSpec, RunnableSpec } from '../model/app.ts';
import type { Revision } from '../model/revision.ts';
import { sdkPath } from './places.ts';

/** An app that is ready to be deployed: config valid, secrets found, code built. */
export interface Prepared {
  readonly app: AppSpec;
  readonly env: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** What whoever sends events over HTTP has to show; null where no endpoint of the app takes any. */
  readonly eventToken: string | null;
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
  const specs = runnable(app);
  await Promise.all(
    specs.flatMap((spec) => spec.storage).map((folder) => mkdir(folder, { recursive: true })),
  );
  const revisions = await Promise.all(specs.map((spec) => build(spec, env.get(spec.name) ?? {}, options)));
  return { app, env, eventToken, configSources, revisions: byName(revisions) };
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
    runnable(previous.app).map(async (spec) => {
      if (!components.has(spec.name)) return previous.revisions.get(spec.name)!;
      const revision = await build(spec, previous.env.get(spec.name) ?? {}, {
        builder,
        directory: previous.app.directory,
      });
      return revision.kind === 'command' ? { ...revision, id: digest(`${revision.id} ${salt}`) } : revision;
    }),
  );
  return { ...previous, revisions: byName(revisions) };
}

/**
 * @param outDirectory must be inside the app, so that packages which stay outside a bundle are found as Node always finds them.
 */
export function builderFor(directory: string, outDirectory: string): Builder {
  return new Builder({ appDirectory: directory, outDirectory, sdkPath: sdkPath() });
}

const DOT_ENV_FILES = ['.env', '.env.local'];

function runnable(app: AppSpec): RunnableSpec[] {
  return [...app.components.values()].filter((spec) => spec.kind !== 'static');
}

async function build(
  spec: RunnableSpec,
  env: Readonly<Record<string, string>>,
  { builder, directory }: Pick<PrepareOptions, 'builder' | 'directory'>,
): Promise<Revision> {
  if (spec.kind === 'command') return commandRevision(spec, env, directory);
  const { packages: _, strays: __, ...bundle } = await builder.bundle(spec);
  return moduleRevision(spec, env, bundle);
}

function byName(revisions: readonly Revision[]): Map<string, Revision> {
  return new Map(revisions.map((revision) => [revision.spec.name, revision]));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
