import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import type { Finding } from './build-error.ts';
import { walk, type SyntaxNode } from './syntax.ts';

/** An import that leads nowhere. */
export interface MissingImport {
  readonly specifier: string;
  readonly importer: string;
}

const EXTENSIONS = ['', '.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json'];

/** Where `missing` stands in its importer, for the bundler tells no place to those it asks. */
export async function findImport(missing: MissingImport): Promise<Finding> {
  const { importer: file, specifier } = missing;
  const message = `Could not resolve '${specifier}'`;
  const at = await offsetOf(missing);
  if (at === null) return { message: `${message} in ${file}`, place: null, frame: null };
  const before = at.source.slice(0, at.offset).split('\n');
  return { message, place: { file, line: before.length, column: before.at(-1)!.length + 1 }, frame: null };
}

async function offsetOf({
  importer,
  specifier,
}: MissingImport): Promise<{ source: string; offset: number } | null> {
  const { parseSync } = await import('rolldown/utils');
  try {
    const source = readFileSync(importer, 'utf8');
    let offset: number | null = null;
    walk(parseSync(importer, source).program, (node) => {
      const from = node['source'] as SyntaxNode | null | undefined;
      if (from?.['value'] === specifier) offset = Math.min(offset ?? from.start, from.start);
    });
    return offset === null ? null : { source, offset };
  } catch {
    return null; // it has gone meanwhile
  }
}

/** Files and folders whose appearance may make a missing import resolve. */
export function candidatesFor(missing: MissingImport): string[] {
  const directory = dirname(missing.importer);
  if (missing.specifier.startsWith('.')) {
    const base = resolve(directory, missing.specifier);
    const stem = base.replace(/\.[cm]?jsx?$/, '');
    return [
      ...EXTENSIONS.map((ending) => base + ending),
      ...EXTENSIONS.slice(1).map((ending) => stem + ending),
      join(base, 'index.ts'),
    ];
  }
  const found: string[] = [];
  const name = missing.specifier
    .split('/')
    .slice(0, missing.specifier.startsWith('@') ? 2 : 1)
    .join('/');
  for (let at = directory; ; at = dirname(at)) {
    found.push(join(at, 'node_modules', name));
    if (at === dirname(at)) return found;
  }
}
