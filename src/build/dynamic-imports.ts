import type { MagicString } from 'magic-string';
import type { Plugin } from 'rolldown';

import { walk, type SyntaxNode } from './syntax.ts';

/** What stands for the module's own paths until `module-paths` gives it its meaning. */
export const OWN_PATHS = '__fulcrum_own_paths__';

/** `import(` or `require(` of what is no plain string. */
const MENTIONS = /\b(?:import|require)\s*\(\s*(?:\/\*.*?\*\/\s*)?(?:[^'"\s)/]|['"][^'"]*['"]\s*\+)/;

/**
 * An `import()` or `require()` of a computed name cannot be followed by the bundler. It is left to Node, as in plain code,
 * but from the place of the module it stands in, and not from the bundle's. A module that has a `require` of its own, as those
 * that are bundles themselves do, keeps its calls of it as they are.
 */
export function dynamicImportsPlugin(): Plugin {
  return {
    name: 'fulcrum:dynamic-imports',
    transform: {
      filter: { id: /^[^\0].*\.[cm]?[jt]sx?$/, code: MENTIONS },
      async handler(code, id) {
        const { parseSync } = await import('rolldown/utils');
        const { program, errors } = parseSync(id, code);
        if (errors.length > 0) return null;
        const edits: ((text: MagicString) => void)[] = [];
        let hasOwnRequire = false;
        walk(program, (node, parent) => {
          if (node.type === 'ImportExpression' && !isFixed(node['source'])) {
            const { start, end } = node['source'] as SyntaxNode;
            edits.push((text) => text.appendLeft(start, `${OWN_PATHS}.specifier(`).appendRight(end, ')'));
          }
          if (node.type !== 'Identifier' || node['name'] !== 'require') return;
          const [argument] = (parent?.['arguments'] ?? []) as SyntaxNode[];
          if (parent?.type === 'CallExpression' && parent['callee'] === node) {
            if (argument !== undefined && !isFixed(argument)) {
              edits.push(
                (text) => !hasOwnRequire && text.overwrite(node.start, node.end, `${OWN_PATHS}.require`),
              );
            }
          } else if (isBinding(node, parent)) hasOwnRequire = true;
        });
        const text = new (await import('magic-string')).MagicString(code);
        for (const edit of edits) edit(text);
        return text.hasChanged()
          ? { code: text.toString(), map: text.generateMap({ hires: 'boundary' }) }
          : null;
      },
    },
  };
}

/** Whether a name can be read without running the code. */
function isFixed(value: unknown): boolean {
  const node = value as SyntaxNode;
  if (node.type === 'Literal') return true;
  return node.type === 'TemplateLiteral' && (node['expressions'] as unknown[]).length === 0;
}

/** Whether an identifier gives a name rather than uses one: a parameter, a variable, a function, an import. */
function isBinding(node: SyntaxNode, parent: SyntaxNode | null): boolean {
  if (parent === null) return false;
  if (parent.type === 'VariableDeclarator') return parent['id'] === node;
  if (parent.type.startsWith('Import')) return true;
  if (parent.type === 'FormalParameters' || parent.type === 'AssignmentPattern') return true;
  const parameters = parent['params'];
  return parent['id'] === node || (Array.isArray(parameters) && parameters.includes(node));
}
