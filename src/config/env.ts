import { join } from 'node:path';
import { FulcrumError } from '../base/errors.ts';
import { nearest } from '../base/suggest.ts';
import type { AppSpec, EnvSource } from '../model/app.ts';

export interface EnvSources {
  readonly secrets: ReadonlyMap<string, string>;
  /** A sentence on how a secret is given its value; without it: the `.env` file in the app's folder. */
  readonly advice?: string;
}

/** A secret that a variable of a component asks for. */
export interface NamedSecret {
  readonly component: string;
  readonly variable: string;
  readonly secret: string;
}

/**
 * The environment of every component that has instances, secrets filled in; nothing of the server's own environment.
 * Throws one `secret-missing` for all secrets without a value; `details` is `{ file, missing: NamedSecret[] }`.
 */
export function resolveEnv(app: AppSpec, sources: EnvSources): Map<string, Readonly<Record<string, string>>> {
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
  refuseMissing(missing, {
    names: sources.secrets.keys(),
    goTo: sources.advice === undefined ? { file: join(app.directory, '.env') } : sources.advice,
  });
  return environments;
}

function valueOf(source: EnvSource, sources: EnvSources): string | undefined {
  return source.kind === 'value' ? source.value : sources.secrets.get(source.secret);
}

function secretOf(source: EnvSource): string {
  return source.kind === 'secret' ? source.secret : '';
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
    const places = uses.map((use) => `components.${use.component}.env.${use.variable}`);
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
