import type { Plugin } from 'rolldown';

import { walk } from './syntax.ts';

/** What may be a decorator, wherever it stands; in a comment or a string it costs one parse. */
const MENTIONS = /@[\p{L}_$(]/u;

const REFUSAL =
  `Standard decorators are not run by Node yet, and the bundler cannot compile them: ` +
  `set "experimentalDecorators": true in the tsconfig.json that includes this file, or write it without decorators`;

/**
 * Refuses decorators where the file's tsconfig does not ask for the older kind, which the bundler compiles. It passes the
 * standard kind through, so that without this the component would fail to start, with a syntax error in the bundle.
 */
export function decoratorsPlugin(): Plugin {
  return {
    name: 'fulcrum:decorators',
    transform: {
      filter: { id: { include: /\.[cm]?[jt]sx?$/, exclude: /[\\/]node_modules[\\/]/ }, code: MENTIONS },
      async handler(code, id) {
        const { resolveTsconfig } = await import('rolldown/experimental');
        if (resolveTsconfig(id)?.tsconfig.compilerOptions.experimentalDecorators === true) return null;
        const { parseSync } = await import('rolldown/utils');
        const at = firstDecorator(parseSync(id, code).program);
        return at === null ? null : this.error(REFUSAL, at);
      },
    },
  };
}

/** Offset of the first decorator in a syntax tree; null where it has none. */
function firstDecorator(tree: unknown): number | null {
  let first: number | null = null;
  walk(tree, (node) => {
    if (node.type === 'Decorator') first = Math.min(first ?? node.start, node.start);
  });
  return first;
}
