import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppConfig, ComponentConfig } from '../../../src/sdk/index.ts';
import shop from '../../../examples/shop/fulcrum.config.ts';
import { appFolder, type Span } from '../support/app-folder.ts';
import { APART, LADDER, PROBES } from './probe-components.ts';

const SHOP = join(import.meta.dirname, '../../../examples/shop');

export interface Arrangement {
  readonly name: string;
  arrange(app: AppConfig): AppConfig;
}

/** The same components, each time otherwise: nobody who calls or visits may see a difference. */
export const ARRANGEMENTS: readonly Arrangement[] = [
  { name: 'split: each by itself, as configured', arrange: (app) => app },
  {
    name: 'joined: one service of all',
    arrange: (app) => ({ ...inMode(app, 'service'), groups: { all: groupable(app) } }),
  },
  { name: 'all functions', arrange: (app) => inMode(app, 'function') },
  { name: 'all services', arrange: (app) => inMode(app, 'service') },
  {
    name: 'mixed: groups of functions and of services, and some by themselves',
    arrange: (app) => ({
      ...app,
      groups: {
        core: ['checkout', 'inventory', 'ring-a'],
        counter: ['cart', 'pricing', 'payment', 'asker', 'ladder-a'],
      },
    }),
  },
];

/** The shop with the probes beside it, arranged so, in a folder of its own. */
export async function arrangedShop(t: Span, { arrange }: Arrangement): Promise<string> {
  const { path } = await appFolder(t, {});
  await cp(SHOP, path, {
    recursive: true,
    filter: (from) => !/\.fulcrum|\/data(\/|$)|\.env\.local|\.test\.ts$/.test(from.slice(SHOP.length)),
  });
  await cp(join(import.meta.dirname, 'probes'), join(path, 'probes'), { recursive: true });
  await writeFile(join(path, 'probes/ladder.ts'), LADDER);
  await mkdir(join(path, 'data'), { recursive: true });
  const written = shop as AppConfig;
  const config = arrange({ ...written, components: { ...written.components, ...PROBES } });
  await writeFile(join(path, 'fulcrum.config.ts'), `export default ${JSON.stringify(config)};\n`);
  return path;
}

function inMode(app: AppConfig, mode: 'function' | 'service'): AppConfig {
  const entries = Object.entries(app.components).map(([name, component]): [string, ComponentConfig] => [
    name,
    'static' in component ? component : { ...component, mode },
  ]);
  return { ...app, components: Object.fromEntries(entries) };
}

/** What can share a process; what ends its own would take the others along. */
function groupable(app: AppConfig): string[] {
  return Object.entries(app.components).flatMap(([name, component]) =>
    'entry' in component && !APART.has(name) ? [name] : [],
  );
}
