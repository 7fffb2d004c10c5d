import { readFileSync } from 'node:fs';

import type { parseSync } from 'rolldown/utils';

import type { BundlerLog } from './build-error.ts';

/** Statements that leave nothing at run time. */
const TYPE_DECLARATIONS = new Set(['TSInterfaceDeclaration', 'TSTypeAliasDeclaration']);

interface Node {
  readonly type: string;
  readonly id?: { readonly name?: string } | null;
  readonly declare?: boolean;
  readonly declaration?: Node | null;
  readonly importKind?: string;
  readonly exportKind?: string;
  readonly specifiers?: readonly Specifier[];
}

interface Specifier {
  readonly importKind?: string;
  readonly exportKind?: string;
  readonly local: { readonly name?: string };
  readonly exported?: { readonly name?: string };
}

/** Whether all that `logs` complain of is names which TypeScript knows to be types, so that no value is missing. */
export async function isTypeOnly(logs: readonly BundlerLog[]): Promise<boolean> {
  const { parseSync } = await import('rolldown/utils');
  const typesByFile = new Map<string, Set<string>>();
  return logs.every((log) => {
    const name = /"([^"]+)" is not exported by/.exec(log.message ?? '')?.[1];
    const file = log.exporter;
    if (
      log.code !== 'MISSING_EXPORT' ||
      name === undefined ||
      file === undefined ||
      !/\.[cm]?tsx?$/.test(file)
    )
      return false;
    const types = typesByFile.get(file) ?? typeNames(file, parseSync);
    typesByFile.set(file, types);
    return types.has(name);
  });
}

function typeNames(file: string, parse: typeof parseSync): Set<string> {
  const names = new Set<string>();
  const add = (name: string | undefined): void => void (name !== undefined && names.add(name));
  const body = parse(file, readFileSync(file, 'utf8')).program.body as unknown as readonly Node[];
  for (const statement of body) {
    const declared = statement.declaration ?? statement;
    if (TYPE_DECLARATIONS.has(declared.type) || declared.declare === true) add(declared.id?.name);
    for (const specifier of statement.specifiers ?? []) {
      const kinds = [statement.importKind, statement.exportKind, specifier.importKind, specifier.exportKind];
      if (kinds.includes('type')) add((specifier.exported ?? specifier.local).name);
    }
  }
  return names;
}
