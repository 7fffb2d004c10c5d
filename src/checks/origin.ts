import { bare, calledName, keyOf, type Node } from './syntax.ts';
import type { Values } from './values.ts';

/** Where a value comes from: a module of Node's or a package, and the names that lead to it there. */
export interface Origin {
  /** `fs`, `pg`, `@scope/name`; Node's own without their prefix; empty for a global. */
  readonly module: string;
  /** `readFile`; `promises.readFile`. Empty for all of the module, or its default export. */
  readonly name: string;
  /** How many calls or `new` have been made of it: 1 for `new Pool()`. */
  readonly made: number;
}

const MAX_DEPTH = 12;
/** Bundlers tell equal names apart with these. */
const SUFFIX = /\$\d+$|_\d+$/;

/** What a file of a package gives, where the package has several that are imported by themselves. */
const FILES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ws: { websocket_server: 'WebSocketServer', websocket: 'WebSocket' },
};

/** Where an expression's value comes from, as far as it is a library's or a global; null where it is the author's own. */
export function originOf(node: Node, values: Values, depth = 0): Origin | null {
  if (depth > MAX_DEPTH) return null;
  const at = bare(node);
  switch (at.type) {
    case 'Identifier':
      return ofIdentifier(at, values, depth);
    case 'MemberExpression': {
      const key = keyOf(at);
      const from = originOf(at['object'], values, depth + 1);
      if (from === null || key === null) return null;
      if (
        key === 'default' ||
        (from.module === '' && (from.name === 'globalThis' || from.name === 'global'))
      ) {
        return key === 'default' ? from : { ...from, name: key };
      }
      return { ...from, name: from.name === '' ? key : `${from.name}.${key}` };
    }
    case 'ImportExpression':
      return at['source'].type === 'Literal'
        ? { module: moduleName(String(at['source'].value)), name: '', made: 0 }
        : null;
    case 'CallExpression':
    case 'NewExpression':
      return ofCall(at, values, depth);
    default:
      return null;
  }
}

function ofIdentifier(id: Node, values: Values, depth: number): Origin | null {
  const binding = values.bindingOf(id);
  if (binding === null) {
    const owner = values.textOf(id).packages.get(id['name']);
    if (owner === undefined) return { module: '', name: id['name'], made: 0 };
    if (owner === '') return null;
    const plain = (id['name'] as string).replace(SUFFIX, '');
    // `import_pg`, `require_pg` and `pg_default` stand for a whole file of the package.
    const file = /^(?:import_|require_)(.*)$|^(.*)_default$/.exec(plain);
    const name = file === null ? plain : (FILES[owner]?.[file[1] ?? file[2]!] ?? '');
    return { module: owner, name, made: 0 };
  }
  if (binding.imported !== null) {
    const { from, name } = binding.imported;
    if (from.startsWith('.')) return null;
    return { module: moduleName(from), name: name === '*' || name === 'default' ? '' : name, made: 0 };
  }
  const [given] = binding.given;
  if (binding.kind !== 'variable' || given === undefined) return null;
  const whole = originOf(given.node, values, depth + 1);
  if (whole === null || given.path.includes(null)) return null;
  return {
    ...whole,
    name: [whole.name, ...given.path].filter((part) => part !== '' && part !== 'default').join('.'),
  };
}

function ofCall(call: Node, values: Values, depth: number): Origin | null {
  const name = calledName(call);
  const [first] = call['arguments'] as Node[];
  if ((name === '__require' || name === 'require') && first?.type === 'Literal') {
    return { module: moduleName(String(first['value'])), name: '', made: 0 };
  }
  if (name === '__toESM' || name === '__name')
    return first === undefined ? null : originOf(first, values, depth + 1);
  const callee = originOf(call['callee'], values, depth + 1);
  if (callee === null) return null;
  if (name.startsWith('require_') && callee.name === '') return callee;
  return { ...callee, made: callee.made + 1 };
}

function moduleName(specifier: string): string {
  const plain = specifier.replace(/^node:/, '');
  // A package with native code is imported by its path: see the build.
  const inPackages = /.*node_modules\/(.*)$/.exec(plain)?.[1] ?? plain;
  const parts = inPackages.split('/');
  if (plain === inPackages && !plain.startsWith('@') && specifier.startsWith('node:')) return plain;
  return inPackages.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]!;
}
