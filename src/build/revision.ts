import { createHash } from 'node:crypto';
import { dirname, relative } from 'node:path';

import type { CommandSpec, GroupSpec, ModuleSpec, RunnableSpec } from '../model/app.ts';
import type { Bundle, CommandRevision, GroupRevision, ModuleRevision } from '../model/revision.ts';

type Env = Readonly<Record<string, string>>;

/**
 * The revision of a module component. Its id covers code and settings, and the environment without its secrets; it is the
 * same wherever the app lies, for paths count relative to the entry.
 * @param env every variable with its value, secrets resolved.
 * @param files digest of the files that it may read; empty where they are not known.
 */
export function moduleRevision(spec: ModuleSpec, env: Env, bundle: Bundle, files = ''): ModuleRevision {
  // The entry's own path is of no account: what it led to is in the bundle. What is asked of its latency changes nothing that runs.
  const { entry, objective: _, ...rest } = spec;
  const settings = { ...rest, storage: spec.storage.map((folder) => relative(dirname(entry), folder)) };
  return {
    kind: 'module',
    id: idOf(spec, settings, env, files === '' ? bundle.digest : `${bundle.digest} ${files}`),
    env,
    envDigest: digest(env),
    spec,
    bundle,
  };
}

/**
 * The revision of a command component. Its id covers the settings and the environment without its secrets; what the
 * program's files hold is known only where `files` tells it.
 * @param appDirectory what paths count relative to; without it they count as they are.
 * @param files digest of the program's files; empty where they are not known.
 */
export function commandRevision(
  spec: CommandSpec,
  env: Env,
  appDirectory?: string,
  files = '',
): CommandRevision {
  const path = (absolute: string): string =>
    appDirectory === undefined ? absolute : relative(appDirectory, absolute);
  const { objective: _, ...rest } = spec;
  const settings = { ...rest, cwd: path(spec.cwd), storage: spec.storage.map(path) };
  return { kind: 'command', id: idOf(spec, settings, env, files), env, envDigest: digest(env), spec };
}

/** The revision of a group: another one where any of its members' is. @param members in the order of the group. */
export function groupRevision(spec: GroupSpec, members: readonly ModuleRevision[]): GroupRevision {
  const env = Object.assign({}, ...members.map((member) => member.env)) as Env;
  // Paths, and all that is the members' own, are in their ids.
  const { members: _, storage: __, env: ___, objective: ____, ...settings } = spec;
  return {
    kind: 'group',
    id: digest({ settings, members: members.map(({ id }) => id) }).slice(0, 12),
    env,
    envDigest: digest(members.map(({ envDigest }) => envDigest)),
    spec,
    members,
  };
}

function idOf(spec: RunnableSpec, settings: object, env: Env, code: string): string {
  const plain = Object.entries(env).filter(([name]) => spec.env[name]?.kind !== 'secret');
  return digest({ code, settings, env: Object.fromEntries(plain) }).slice(0, 12);
}

/** SHA-256 of a value, in hex; the order of an object's keys does not count. */
function digest(value: unknown): string {
  return createHash('sha256').update(canonical(value)).digest('hex');
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
