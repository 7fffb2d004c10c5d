import { readDraft } from './draft.ts';
import { refuseMissing, type NamedSecret } from './env.ts';

/** Where a config names secrets. `config` is what its file evaluated to; what is wrong with it is not told here, and left out. */
export function namedSecrets(config: unknown): readonly NamedSecret[] {
  const { app, components } = readDraft(config);
  const token = app.events?.endpoint?.token;
  const own = token?.kind === 'secret' ? [{ component: null, variable: null, secret: token.secret }] : [];
  const ofComponents = components.flatMap(({ kind, name, values }) => {
    if (kind !== 'module' && kind !== 'command') return [];
    return Object.entries({ ...app.env, ...values.env }).flatMap(([variable, value]) =>
      typeof value === 'string' ? [] : [{ component: name, variable, secret: value.$secret }],
    );
  });
  return [...ofComponents, ...own];
}

/** Throws `secret-missing` where `config` names a secret that is not among `names`. */
export function refuseMissingSecrets(config: unknown, names: ReadonlySet<string>, advice: string): void {
  const missing = namedSecrets(config).filter(({ secret }) => !names.has(secret));
  refuseMissing(missing, { names, goTo: advice });
}
