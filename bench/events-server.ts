import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { Platform } from '../src/server/platform.ts';
import { builderFor, prepare } from '../src/server/prepare.ts';
import { serveLines } from './line-process.ts';

export interface EventsHello {
  readonly url: string;
}

export interface ComponentNow {
  readonly instances: number;
  /** Events that are kept for it and not done with. */
  readonly kept: number;
}

/** `events-app`, whole, in a process of its own: `events-server.ts FOLDER [DATABASE_URL]`. Asked for a component it tells how it is. */
const folder = await realpath(process.argv[2]!);
const directory = new URL('./events-app/', import.meta.url).pathname;
const builder = builderFor(directory, join(folder, 'build'));
await mkdir(join(folder, 'data'), { recursive: true });
const options = {
  dataDirectory: join(folder, 'data'),
  databaseUrl: process.argv[3] ?? null,
  environment: 'bench',
  clock: systemClock,
  processClock: systemClock,
  serverTiming: false,
  isAlone: true,
};
const platform = await Platform.start(options);
await platform.deploy(await prepare({ directory, environment: 'bench', builder }));
const { gatewayUrl: url } = await platform.listen({ gatewayPorts: [0], adminPorts: null, host: '127.0.0.1' });

await serveLines({ url } satisfies EventsHello, async (name: string): Promise<ComponentNow> => {
  const component = (await platform.control.components()).find((status) => status.name === name)!;
  const { waiting, underWay, later } = component.backlog ?? { waiting: 0, underWay: 0, later: 0 };
  return { instances: component.instances.length, kept: waiting + underWay + later };
});
await platform.close(1_000);
await builder.close();
