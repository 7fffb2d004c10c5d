import { childrenOf, isClass, isFunction, keyOf, type Node } from './syntax.ts';

/** A name that code gives, and everything that is known to be given to it. */
export interface Binding {
  readonly name: string;
  readonly kind: 'variable' | 'function' | 'class' | 'parameter' | 'import' | 'caught';
  /** Where it is declared. */
  readonly node: Node;
  /** The function that it lives and dies with; null for a file's top level. */
  readonly owner: Node | null;
  /** What it is given, each with the way into it where it is taken apart: `const { a } = x` gives `a` the `a` of `x`. */
  readonly given: Given[];
  /** Identifiers that read it. */
  readonly reads: Node[];
  /** Set for an import. */
  readonly imported: Imported | null;
  /** Of a parameter: which one. */
  readonly index: number;
}

export interface Given {
  readonly node: Node;
  /** Keys from the value inwards; null for one that is computed, for elements of a loop and for rests. */
  readonly path: readonly (string | null)[];
}

interface Imported {
  readonly from: string;
  /** `*` for all of it. */
  readonly name: string;
}

interface Scope {
  readonly parent: Scope | null;
  /** Null for a file's top level. */
  readonly owner: Node | null;
  readonly isFunction: boolean;
  readonly names: Map<string, Binding>;
}

/** Stands in a path for `...rest`: a copy, not the thing itself. */
export const REST = '...';

/** Which identifier means which binding, in one file. */
export interface Names {
  readonly bindings: readonly Binding[];
  readonly ofIdentifier: ReadonlyMap<Node, Binding>;
  /** Names at the top level. */
  readonly top: ReadonlyMap<string, Binding>;
}

/** Resolves the names of a program. What is declared nowhere (globals, what libraries declare) has no binding. */
export function resolveNames(program: Node): Names {
  const bindings: Binding[] = [];
  const ofIdentifier = new Map<Node, Binding>();
  const scopes = new Map<Node, Scope>();
  const top: Scope = { parent: null, owner: null, isFunction: true, names: new Map() };
  scopes.set(program, top);
  declareAll(program, top);
  resolveAll(program, top);
  return { bindings, ofIdentifier, top: top.names };

  function declare(
    scope: Scope,
    id: Node,
    kind: Binding['kind'],
    more: { given?: Given; imported?: Imported; index?: number } = {},
  ): void {
    const known = scope.names.get(id['name']);
    if (known !== undefined) {
      // `var` twice, or a function beside a parameter of its name.
      if (more.given) known.given.push(more.given);
      ofIdentifier.set(id, known);
      return;
    }
    const binding: Binding = {
      name: id['name'],
      kind,
      node: id,
      owner: scope.owner,
      given: more.given ? [more.given] : [],
      reads: [],
      imported: more.imported ?? null,
      index: more.index ?? -1,
    };
    scope.names.set(binding.name, binding);
    bindings.push(binding);
    ofIdentifier.set(id, binding);
  }

  function declareAll(node: Node, scope: Scope): void {
    const inner = enter(node, scope);
    if (node.type === 'VariableDeclaration') {
      const target = node['kind'] === 'var' ? functionScope(inner) : inner;
      for (const declarator of node['declarations'] as Node[]) {
        const value = (declarator['init'] ?? loopValue(node)) as Node | null;
        const path = declarator['init'] === null && value !== null ? [null] : [];
        for (const [id, way] of namesIn(declarator['id'], path)) {
          declare(target, id, 'variable', value === null ? {} : { given: { node: value, path: way } });
        }
      }
    } else if (node.type === 'FunctionDeclaration' && node['id'] !== null) {
      declare(scope, node['id'], 'function', { given: { node, path: [] } });
    } else if (node.type === 'ClassDeclaration' && node['id'] !== null) {
      declare(scope, node['id'], 'class', { given: { node, path: [] } });
    } else if (node.type === 'ImportDeclaration') {
      for (const one of node['specifiers'] as Node[]) {
        const imported =
          one.type === 'ImportNamespaceSpecifier'
            ? '*'
            : one.type === 'ImportDefaultSpecifier'
              ? 'default'
              : (one['imported'].name ?? one['imported'].value);
        declare(top, one['local'], 'import', {
          imported: { from: String(node['source'].value), name: imported },
        });
      }
    }
    for (const child of childrenOf(node)) declareAll(child, inner);
  }

  /** The scope inside a node: a new one where the node makes one. */
  function enter(node: Node, scope: Scope): Scope {
    if (isFunction(node)) {
      const inner: Scope = { parent: scope, owner: node, isFunction: true, names: new Map() };
      if (node.type === 'FunctionExpression' && node['id'] !== null) {
        declare(inner, node['id'], 'function', { given: { node, path: [] } });
      }
      (node['params'] as Node[]).forEach((parameter, index) => {
        for (const [id] of namesIn(parameter, [])) {
          const given = defaultOf(parameter, id);
          declare(inner, id, 'parameter', { index, ...(given ? { given } : {}) });
        }
      });
      scopes.set(node, inner);
      return inner;
    }
    const makesScope =
      node.type === 'BlockStatement' ||
      node.type === 'StaticBlock' ||
      node.type === 'CatchClause' ||
      node.type === 'SwitchStatement' ||
      node.type.startsWith('For') ||
      (node.type === 'ClassExpression' && node['id'] !== null);
    if (!makesScope) return scope;
    const inner: Scope = {
      parent: scope,
      owner: scope.owner,
      isFunction: node.type === 'StaticBlock',
      names: new Map(),
    };
    if (node.type === 'CatchClause' && node['param'] !== null) {
      for (const [id] of namesIn(node['param'], [])) declare(inner, id, 'caught');
    }
    if (node.type === 'ClassExpression') declare(inner, node['id'], 'class', { given: { node, path: [] } });
    scopes.set(node, inner);
    return inner;
  }

  function resolveAll(node: Node, scope: Scope): void {
    const inner = scopes.get(node) ?? scope;
    if (node.type === 'Identifier' && isUse(node) && !ofIdentifier.has(node)) {
      const binding = lookUp(inner, node['name']);
      if (binding !== null) {
        ofIdentifier.set(node, binding);
        if (!isWritten(node)) binding.reads.push(node);
      }
    }
    if (node.type === 'AssignmentExpression') {
      for (const [id, path] of namesIn(node['left'], [])) give(inner, id, { node: node['right'], path });
    }
    if ((node.type === 'ForOfStatement' || node.type === 'ForInStatement') && isPattern(node['left'])) {
      for (const [id, path] of namesIn(node['left'], [null])) give(inner, id, { node: node['right'], path });
    }
    for (const child of childrenOf(node)) resolveAll(child, inner);
  }

  function give(scope: Scope, id: Node, given: Given): void {
    lookUp(scope, id['name'])?.given.push(given);
  }
}

function lookUp(scope: Scope, name: string): Binding | null {
  for (let at: Scope | null = scope; at !== null; at = at.parent) {
    const found = at.names.get(name);
    if (found !== undefined) return found;
  }
  return null;
}

function functionScope(scope: Scope): Scope {
  return scope.isFunction || scope.parent === null ? scope : functionScope(scope.parent);
}

/** What a declaration in the head of a loop takes its value from. */
function loopValue(declaration: Node): Node | null {
  const loop = declaration.parent;
  const isHead =
    (loop?.type === 'ForOfStatement' || loop?.type === 'ForInStatement') && loop['left'] === declaration;
  return isHead ? loop['right'] : null;
}

function isPattern(node: Node): boolean {
  return node.type !== 'VariableDeclaration';
}

/** The identifiers that a pattern gives values to, each with the way from the whole value to its own. */
function namesIn(
  pattern: Node | null,
  path: readonly (string | null)[],
): [id: Node, path: readonly (string | null)[]][] {
  return targetsIn(pattern, path).filter(([target]) => target.type === 'Identifier');
}

/** The same with members: everything that an assignment to a pattern writes. */
export function targetsIn(
  pattern: Node | null,
  path: readonly (string | null)[],
): [target: Node, path: readonly (string | null)[]][] {
  if (pattern === null) return [];
  switch (pattern.type) {
    case 'Identifier':
    case 'MemberExpression':
      return [[pattern, path]];
    case 'AssignmentPattern':
      return targetsIn(pattern['left'], path);
    case 'RestElement':
      return targetsIn(pattern['argument'], [...path, REST]);
    case 'ArrayPattern':
      return (pattern['elements'] as (Node | null)[]).flatMap((element, i) =>
        targetsIn(element, [...path, String(i)]),
      );
    case 'ObjectPattern':
      return (pattern['properties'] as Node[]).flatMap((property) =>
        property.type === 'RestElement'
          ? targetsIn(property, path)
          : targetsIn(property['value'], [...path, keyOf(property)]),
      );
    default:
      return [];
  }
}

/** What a parameter is where it is not given: `(store = shared) => …`. */
function defaultOf(parameter: Node, id: Node): Given | null {
  return parameter.type === 'AssignmentPattern' && parameter['left'] === id
    ? { node: parameter['right'], path: [] }
    : null;
}

/** Whether an identifier stands for a value, not for the name of a property, label or export. */
function isUse(id: Node): boolean {
  const { parent } = id;
  if (parent === null) return true;
  switch (parent.type) {
    case 'MemberExpression':
      return parent['object'] === id || parent['computed'] === true;
    case 'Property':
      // In `{ a }` key and value are one node or two of one place; the value counts.
      return parent['value'] === id || (parent['key'] === id && parent['computed'] === true);
    case 'MethodDefinition':
    case 'PropertyDefinition':
      return parent['value'] === id || (parent['key'] === id && parent['computed'] === true);
    case 'LabeledStatement':
    case 'BreakStatement':
    case 'ContinueStatement':
    case 'ImportSpecifier':
    case 'MetaProperty':
      return false;
    case 'ExportSpecifier':
      return parent['local'] === id;
    default:
      return true;
  }
}

/** Whether an identifier is only written where it stands. */
function isWritten(id: Node): boolean {
  const { parent } = id;
  if (parent?.type === 'AssignmentExpression')
    return parent['left'] === id && (parent['operator'] === '=' || isAlone(parent));
  if (parent?.type === 'UpdateExpression') return isAlone(parent);
  if (parent?.type === 'ForOfStatement' || parent?.type === 'ForInStatement') return parent['left'] === id;
  return false;
}

/** Whether nobody uses what an expression gives. */
export function isAlone(expression: Node): boolean {
  const { parent } = expression;
  if (parent?.type === 'ExpressionStatement') return true;
  if (parent?.type === 'ForStatement') return parent['update'] === expression;
  if (parent?.type === 'SequenceExpression')
    return parent['expressions'].at(-1) !== expression || isAlone(parent);
  return parent?.type === 'UnaryExpression' && parent['operator'] === 'void';
}

/** A class that a member stands in, and whether it belongs to the class itself. */
export function memberAround(node: Node): { owner: Node; isStatic: boolean } | null {
  for (let at = node; at.parent !== null; at = at.parent) {
    const { parent } = at;
    if (at.type === 'StaticBlock' && isClass(parent.parent!))
      return { owner: parent.parent!, isStatic: true };
    if (parent.type === 'MethodDefinition' || parent.type === 'PropertyDefinition') {
      if (parent['value'] === at) return { owner: parent.parent!.parent!, isStatic: parent['static'] };
    }
    if (parent.type === 'Property' && parent['value'] === at && at.type === 'FunctionExpression') {
      if (parent.parent!.type === 'ObjectExpression') return { owner: parent.parent!, isStatic: true };
    }
    if ((at.type === 'FunctionExpression' || at.type === 'FunctionDeclaration') && !isMethodValue(at))
      return null;
  }
  return null;
}

function isMethodValue(fn: Node): boolean {
  return fn.parent?.type === 'MethodDefinition' || fn.parent?.type === 'Property';
}
