import type { Plugin } from 'rolldown';

/**
 * Compiles JSX where tsconfig says to preserve it for another tool, as the tsconfig of a workspace with a web front end does: here
 * there is no other tool. The automatic runtime is used, as all frameworks support it.
 */
export function preservedJsxPlugin(): Plugin {
  return {
    name: 'fulcrum:preserved-jsx',
    transform: {
      filter: { id: { include: /\.[jt]sx$/, exclude: /[\\/]node_modules[\\/]/ } },
      async handler(code, id) {
        const { resolveTsconfig } = await import('rolldown/experimental');
        const options = resolveTsconfig(id)?.tsconfig.compilerOptions;
        if (options?.jsx !== 'preserve' && options?.jsx !== 'react-native') return null;
        const { transformSync } = await import('rolldown/utils');
        const jsx = { runtime: 'automatic', importSource: options.jsxImportSource ?? 'react' } as const;
        const result = transformSync(id, code, { sourcemap: true, tsconfig: true, jsx });
        // The bundler meets the same error in the source itself, and tells it with the right place.
        if (result.errors.length > 0) return null;
        return { code: result.code, map: result.map ?? null, moduleType: 'js' };
      },
    },
  };
}
