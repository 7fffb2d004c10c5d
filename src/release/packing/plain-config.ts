import { isAbsolute, relative } from 'node:path';
import { FulcrumError } from '../../base/errors.ts';

/** Secrets shorter than this are found in all sorts of other values. */
const SHORTEST_SECRET = 6;

/**
 * A config as it was evaluated, as JSON: what goes into a manifest. Absolute paths into the app's folder become relative, for it lies
 * elsewhere on the server.
 * @param directory the app's, absolute and without links.
 */
export function plainConfig(config: unknown, directory: string): unknown {
  const plain: unknown = JSON.parse(JSON.stringify(config) ?? 'null');
  const components = isRecord(plain) ? plain['components'] : null;
  if (!isRecord(components)) return plain;
  for (const component of Object.values(components)) {
    if (!isRecord(component)) continue;
    for (const key of ['entry', 'cwd', 'static']) {
      if (typeof component[key] === 'string') component[key] = inApp(component[key], directory);
    }
    const { storage } = component;
    if (!Array.isArray(storage)) continue;
    component['storage'] = storage.map((each: unknown) =>
      typeof each === 'string' ? inApp(each, directory) : each,
    );
  }
  return plain;
}

function inApp(path: string, directory: string): string {
  if (!isAbsolute(path)) return path;
  const way = relative(directory, path);
  return way.startsWith('..') ? path : `./${way}`;
}

/**
 * A config names its secrets; here none may hold the value of one, because somebody read it from the environment instead.
 * @param secrets those whose values are known here (`.env`).
 * @throws FulcrumError `package-failed` that names where, never the value.
 */
export function refuseSecretValues(config: unknown, secrets: ReadonlyMap<string, string>): void {
  const named = new Set<string>();
  const texts: { path: string; text: string }[] = [];
  const look = (value: unknown, path: string): void => {
    if (typeof value === 'string') texts.push({ path, text: value });
    if (typeof value !== 'object' || value === null) return;
    if ('$secret' in value && typeof value.$secret === 'string') named.add(value.$secret);
    else for (const [key, inner] of Object.entries(value)) look(inner, path === '' ? key : `${path}.${key}`);
  };
  look(config, '');
  for (const name of named) {
    const value = secrets.get(name) ?? '';
    if (value.length < SHORTEST_SECRET) continue;
    const found = texts.find(({ text }) => text.includes(value));
    if (found === undefined) continue;
    throw new FulcrumError(
      'package-failed',
      `${found.path} in the config holds the value of the secret ${name}, which would be stored with the release. Write secret('${name}') there.`,
      { details: { path: found.path, secret: name } },
    );
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
