/**
 * A node of an ESTree, as acorn makes it, with its parent. Fields are read by name all over this room, which is why they
 * are typed loosely here and nowhere else.
 */
export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  /** Set by {@link adopt}; null for a program. */
  parent: Node | null;
  // oxlint-disable-next-line typescript/no-explicit-any -- the form of every kind of node is given by ESTree
  readonly [field: string]: any;
}

const NO_CHILDREN = new Set(['type', 'start', 'end', 'parent', 'raw', 'value', 'regex', 'bigint']);

/** The nodes right below one, in the order of the text. */
export function childrenOf(node: Node): Node[] {
  const found: Node[] = [];
  for (const key in node) {
    // `value` is a node in properties and a plain value in literals.
    if (NO_CHILDREN.has(key) && (key !== 'value' || node.type === 'Literal')) continue;
    const inner: unknown = node[key];
    if (Array.isArray(inner)) {
      for (const one of inner) if (isNode(one)) found.push(one);
    } else if (isNode(inner)) found.push(inner);
  }
  return found;
}

/** Gives every node below `root` its parent. */
export function adopt(root: Node): void {
  const waiting = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    for (const child of childrenOf(node)) {
      child.parent = node;
      waiting.push(child);
    }
  }
}

/** Visits `root` and what is below it, in the order of the text; `visit` returns false to leave out what is below a node. */
export function walk(root: Node, visit: (node: Node) => boolean | void): void {
  const waiting = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (visit(node) === false) continue;
    const children = childrenOf(node);
    for (let i = children.length - 1; i >= 0; i--) waiting.push(children[i]!);
  }
}

export function isFunction(node: Node): boolean {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression'
  );
}

export function isClass(node: Node): boolean {
  return node.type === 'ClassDeclaration' || node.type === 'ClassExpression';
}

/** The nearest function around a node; null at the top level of a file. */
export function functionAround(node: Node): Node | null {
  for (let at = node.parent; at !== null; at = at.parent) if (isFunction(at)) return at;
  return null;
}

/** Whether `node` is `outer` or lies in it. */
export function isWithin(node: Node, outer: Node): boolean {
  for (let at: Node | null = node; at !== null; at = at.parent) if (at === outer) return true;
  return false;
}

/** The name that a member or property is reached by; null where it is computed at run time. */
export function keyOf(node: Node): string | null {
  const key = (node.type === 'MemberExpression' ? node['property'] : node['key']) as Node;
  if (key.type === 'PrivateIdentifier') return `#${key['name']}`;
  if (!node['computed']) return key.type === 'Identifier' ? key['name'] : String(key['value']);
  if (key.type === 'Literal') return String(key['value']);
  if (key.type === 'TemplateLiteral' && key['expressions'].length === 0)
    return key['quasis'][0].value.cooked ?? null;
  return null;
}

/** What stands inside wrappers that change no value: `(0, x)`, `await x`, `a?.b`. */
export function bare(node: Node): Node {
  if (node.type === 'AwaitExpression') return bare(node['argument']);
  if (node.type === 'ChainExpression') return bare(node['expression']);
  if (node.type === 'SequenceExpression') return bare(node['expressions'].at(-1));
  return node;
}

/** `foo` or `a.foo` for a call of it; empty for anything else. */
export function calledName(call: Node): string {
  const callee = bare(call['callee']);
  if (callee.type === 'Identifier') return callee['name'];
  return callee.type === 'MemberExpression' ? (keyOf(callee) ?? '') : '';
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}
