import { basename, join } from 'node:path';
import { FulcrumError } from '../base/errors.ts';
import { nearest } from '../base/suggest.ts';
import type { AppSpec } from '../model/app.ts';
import type { EnvSource } from '../model/env-source.ts';
import { EXPECTED_TOKEN, TOKEN_PATH, tokenProblem } from './event-token.ts';
import { configInvalid, issueAt, renderPath } from './issues.ts';

export interface EnvSources {
  readonly secrets: ReadonlyMap<string, string>;
  /** A sentence on how a secret is given its value; without it: the `.env` file in the app's folder. */
  readonly advice?: string;
}

/** A secret that a variable of a component asks for, or, where both are null, the token of the app's endpoint for events. */
export interface NamedSecret {
  readonly component: string | null;
  readonly variable: string | null;
  readonly secret: string;
}

/** What an app is configured with, secrets filled in; nothing of the server's own environment. */
export interface ResolvedValues {
  /** Of every component that has instances. */
  readonly env: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** What whoever sends events over HTTP has to show; null where no endpoint takes any. */
  readonly eventToken: string | null;
}

/**
 * Throws one `secret-missing` for all secrets without a value; `details` is `{ file, missing: NamedSecret[] }`. Throws `config-invalid` where the
 * value of a secret can be no token.
 */
export function resolveValues(app: AppSpec, sources: EnvSources): ResolvedValues {
  const missing: NamedSecret[] = [];
  const environments = new Map<string, Readonly<Record<string, string>>>();
  for (const component of app.components.values()) {
    if (component.kind === 'static') continue;
    const values: [string, string][] = [];
    for (const [variable, source] of Object.entries(component.env)) {
      const value = valueOf(source, sources);
      if (value !== undefined) values.push([variable, value]);
      else missing.push({ component: component.name, variable, secret: secretOf(source) });
    }
    environments.set(component.name, Object.freeze(Object.fromEntries(values)));
  }
  const source = app.events.endpoint?.token ?? null;
  const eventToken = source === null ? null : (valueOf(source, sources) ?? null);
  if (source !== null && eventToken === null)
    missing.push({ component: null, variable: null, secret: secretOf(source) });
  refuseMissing(missing, {
    names: sources.secrets.keys(),
    goTo: sources.advice === undefined ? { file: join(app.directory, '.env') } : sources.advice,
  });
  if (source !== null && eventToken !== null) refuseWeak(app, source, eventToken, sources);
  return { env: environments, eventToken };
}

/** What stands in the config has been looked at there. */
function refuseWeak(app: AppSpec, source: EnvSource, value: string, { advice }: EnvSources): void {
  const problem = source.kind === 'secret' ? tokenProblem(value) : null;
  if (problem === null) return;
  const about = {
    message: `the value of the secret ${secretOf(source)} is ${problem}`,
    expected: EXPECTED_TOKEN,
  };
  // Where the config lies on a server is nobody's business who deploys.
  const file = advice === undefined ? app.configPath : basename(app.configPath);
  throw configInvalid(file, [issueAt(TOKEN_PATH, value, about)]);
}

function valueOf(source: EnvSource, sources: EnvSources): string | undefined {
  return source.kind === 'value' ? source.value : sources.secrets.get(source.secret);
}

function secretOf(source: EnvSource): string {
  return source.kind === 'secret' ? source.secret : '';
}

function placeOf({ component, variable }: NamedSecret): string {
  return component === null ? renderPath(TOKEN_PATH) : `components.${component}.env.${variable}`;
}

interface Told {
  /** Of the secrets that there are: neither their values nor where they came from. */
  readonly names: Iterable<string>;
  /** Where secrets are given their values: a file, or a sentence. */
  readonly goTo: { readonly file: string } | string;
}

/** Throws one `secret-missing` for all of `missing`, if any. */
export function refuseMissing(missing: readonly NamedSecret[], { goTo, ...told }: Told): void {
  if (missing.length === 0) return;
  const names = [...told.names];
  const bySecret = Map.groupBy(missing, (one) => one.secret);
  const lines = [...bySecret].map(([secret, uses]) => {
    const places = uses.map(placeOf);
    const near = nearest(secret, names);
    const hint = near === null ? '' : `; there is a secret ${near}, did you mean that?`;
    return `  ${secret}, for ${places.join(', ')}${hint}`;
  });
  const count = bySecret.size === 1 ? 'A secret has' : `${bySecret.size} secrets have`;
  const what = bySecret.size === 1 ? 'It goes' : 'They go';
  const advice =
    typeof goTo === 'string'
      ? goTo
      : `${what} into ${goTo.file} (or .env.local beside it), one line each: NAME=value.`;
  throw new FulcrumError('secret-missing', `${count} no value:\n\n${lines.join('\n')}\n\n${advice}`, {
    details: typeof goTo === 'string' ? { missing } : { ...goTo, missing },
  });
}
