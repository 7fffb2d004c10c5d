import { rowOf, type Row, type RunOptions } from './benchmark.ts';
import { FulcrumContender } from './events-contender.ts';
import { residentBytes } from './memory.ts';
import { interleaved, median } from './statistics.ts';

/** Of one `publish` to the next round, so that memory is as it is in between. */
const STEP = 50_000;
const WARM_UP = 1_000;

/**
 * A subscriber that is down, and what it costs everybody else: a server with a million events kept for it beside one with none. Both are started
 * anew once the backlog is there, so that neither has a past.
 */
export async function backlog(
  folders: { readonly empty: string; readonly full: string },
  { quick, note }: RunOptions,
): Promise<Row[]> {
  const [events, rounds, perRound] = quick ? [5_000, 1, 1_000] : [1_000_000, 7, 10_000];
  const filled = await FulcrumContender.start('filled', folders.full, null);
  try {
    for (let left = events; left > 0; left -= STEP) {
      await filled.publish('parked', Math.min(STEP, left));
      if (!quick) note(`${left} events to go`);
    }
  } finally {
    await filled.stop();
  }

  const empty = await FulcrumContender.start('none', folders.empty, null);
  const full = await FulcrumContender.start(quick ? 'some thousand' : 'a million', folders.full, null).catch(
    async (error: unknown) => {
      await empty.stop();
      throw error;
    },
  );
  try {
    // What is compiled and opened at first is neither's cost.
    for (const contender of [empty, full]) await contender.publish('parked', WARM_UP);
    const rates = await interleaved(rounds, [empty, full], async (contender) => {
      const begunMs = performance.now();
      await contender.publish('parked', perRound);
      return perRound / ((performance.now() - begunMs) / 1_000);
    });
    const bytes = new Map([empty, full].map((contender) => [contender, residentBytes([contender.pid])]));
    const rate = (contender: FulcrumContender): number => median(rates.get(contender)!);
    const over = { name: empty.name, value: rate(empty) };
    const megabytes = (contender: FulcrumContender): number => bytes.get(contender)! / 1024 ** 2;
    return [
      rowOf('events', { ...over, metric: 'publish, backlog of', unit: 'events/s' }),
      rowOf('events', {
        name: full.name,
        metric: 'publish, backlog of',
        value: rate(full),
        unit: 'events/s',
        over,
        target: { min: 0.9 },
      }),
      rowOf('events', {
        name: empty.name,
        metric: 'memory, backlog of',
        value: megabytes(empty),
        unit: 'MB',
      }),
      rowOf('events', {
        name: full.name,
        metric: 'memory, backlog of',
        value: megabytes(full),
        unit: 'MB',
        over: { name: empty.name, value: megabytes(empty) },
        target: { max: 1.15 },
      }),
    ];
  } finally {
    await Promise.all([empty.stop(), full.stop()]);
  }
}
