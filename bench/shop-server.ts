import { cp, mkdir, realpath, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import type { UsageLine } from '../src/model/usage-export.ts';
import { Platform } from '../src/server/platform.ts';
import { builderFor, prepare } from '../src/server/prepare.ts';
import { serveLines } from './line-process.ts';

export interface ShopHello {
  readonly url: string;
}

/** Which stretch of its usage is asked for, in ms since the epoch. */
export interface ShopQuestion {
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * The example shop, whole, with all of its components in one mode, in a process of its own: `shop-server.ts FOLDER MODE`. Asked for a stretch it
 * tells the lines of its usage.
 */
const folder = await realpath(process.argv[2]!);
const mode = process.argv[3]!;
const directory = join(folder, 'shop');
await cp(new URL('../examples/shop/', import.meta.url), directory, {
  recursive: true,
  // Of whoever has tried the shop here.
  filter: (path) => !/[\\/](?:data|\.fulcrum)$/.test(path),
});
await rename(join(directory, 'fulcrum.config.ts'), join(directory, 'shop.config.ts'));
await writeFile(
  join(directory, 'fulcrum.config.ts'),
  `import shop from './shop.config.ts';
const components = Object.entries(shop.components as Record<string, object>).map(([name, component]) => [
  name,
  'static' in component ? component : { ...component, mode: '${mode}' },
]);
export default { ...shop, components: Object.fromEntries(components) } as never;
`,
);
const builder = builderFor(directory, join(folder, 'build'));
await mkdir(join(folder, 'data'));
const platform = await Platform.start({
  dataDirectory: join(folder, 'data'),
  databaseUrl: null,
  environment: 'bench',
  clock: systemClock,
  processClock: systemClock,
  serverTiming: false,
  isAlone: true,
});
await platform.deploy(await prepare({ directory, environment: 'bench', builder }));
const { gatewayUrl: url } = await platform.listen({ gatewayPorts: [0], adminPorts: null, host: '127.0.0.1' });

await serveLines({ url } satisfies ShopHello, async (question: ShopQuestion): Promise<UsageLine[]> => {
  const lines: UsageLine[] = [];
  for await (const line of platform.control.usage({ ...question, component: null, facts: true }))
    lines.push(line);
  return lines;
});
await platform.close(1_000);
await builder.close();
