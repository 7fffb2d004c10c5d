import type { Benchmark, Row } from './benchmark.ts';
import { LineProcess } from './line-process.ts';
import { table } from './report.ts';
import { burst } from './scaling-burst.ts';
import { flood } from './scaling-flood.ts';
import { traffic } from './scaling-traffic.ts';

export const scaling: Benchmark = {
  name: 'scaling',
  about: [
    '200 requests at once to a function that has no instance, on both',
    'engines, against the ideal; one component flooded at ten times its',
    'limit, and what its neighbours feel; ten components for a minute:',
    'instance-seconds against an oracle’s.',
  ].join('\n'),
  async run(options) {
    const load = await LineProcess.start('load.ts');
    const server = await LineProcess.start<{ url: string }>('scaling-server.ts');
    try {
      const rows: Row[] = [];
      for (const stage of [burst, flood, traffic]) {
        const found = await stage({ server, load }, options);
        rows.push(...found);
        if (!options.quick) options.note(`\n${table(found)}`);
      }
      return rows;
    } finally {
      await server.stop();
      await load.stop();
    }
  },
};
