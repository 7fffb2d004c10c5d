/** A node of the bundler's syntax tree (ESTree). */
export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** Visits every node below `root`, in no particular order, each with its parent. Deep trees are no danger. */
export function walk(root: unknown, visit: (node: SyntaxNode, parent: SyntaxNode | null) => void): void {
  const waiting: { value: unknown; parent: SyntaxNode | null }[] = [{ value: root, parent: null }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, parent } = next;
    if (typeof value !== 'object' || value === null) continue;
    const isNode = 'type' in value && typeof value.type === 'string';
    if (isNode) visit(value as SyntaxNode, parent);
    for (const inner of Object.values(value)) {
      if (typeof inner === 'object')
        waiting.push({ value: inner, parent: isNode ? (value as SyntaxNode) : parent });
    }
  }
}
