import { rowOf, type Row } from './benchmark.ts';

/** What a flood found: what was asked of the flooded component and answered by it, and the neighbours' p99 without and with it. */
export interface FloodFound {
  readonly limit: { readonly rps: number; readonly burst: number };
  readonly rounds: number;
  readonly seconds: number;
  readonly asked: number;
  readonly answered: number;
  readonly neighbours: readonly {
    readonly name: string;
    readonly quietMs: number;
    readonly floodedMs: number;
  }[];
}

/** Of its limit is asked, and of that so much must have been: less is no flood, and says nothing of what one does. */
const LEAST_ASKED = 9;
/** More than that is answered where the limit does not hold. */
const MOST_ANSWERED = 1.1;

/** As rows. Where there was no flood, or its limit did not hold, no neighbour has met its target, whatever it felt. */
export function floodRows({ limit, rounds, seconds, asked, answered, neighbours }: FloodFound): Row[] {
  const said = { metric: 'flood', unit: 'req/s' };
  // The limit is full again at the start of each round.
  const most = MOST_ANSWERED * limit.rps + (limit.burst * rounds) / seconds;
  const flooded = [
    rowOf('scaling', {
      ...said,
      name: 'flooded, asked',
      value: asked / seconds,
      target: { min: LEAST_ASKED * limit.rps },
    }),
    rowOf('scaling', {
      ...said,
      name: 'flooded, answered',
      value: answered / seconds,
      target: { max: most },
    }),
  ];
  const isFlood = flooded.every(({ ok }) => ok);
  return [
    ...flooded,
    ...neighbours.flatMap(({ name, quietMs, floodedMs }) => {
      const metric = 'p99 of the neighbours';
      const quiet = { name: `${name}, quiet`, value: quietMs };
      const row = rowOf('scaling', {
        name: `${name}, flooded`,
        metric,
        value: floodedMs,
        unit: 'ms',
        over: quiet,
        target: { max: 2 },
      });
      return [rowOf('scaling', { ...quiet, metric, unit: 'ms' }), { ...row, ok: isFlood && row.ok === true }];
    }),
  ];
}
