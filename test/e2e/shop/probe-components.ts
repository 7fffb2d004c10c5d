import type { AppConfig } from '../../../src/sdk/index.ts';

/** More names than a chain of calls may have links. */
const RUNGS = 100;

/** Each rung calls the next one, on the other ladder: no function comes twice. */
export const LADDER = `
import { use } from 'fulcrum';
type Rungs = Record<string, (name: string, rung: number, until: number) => Promise<number>>;
async function climb(name: string, rung: number, until: number): Promise<number> {
  if (rung === until) return rung;
  const other = name === 'ladder-a' ? 'ladder-b' : 'ladder-a';
  return await use<Rungs>(other)['rung' + (rung + 1)]!(other, rung + 1, until);
}
export { ${Array.from({ length: RUNGS + 1 }, (_, rung) => `climb as rung${rung}`).join(', ')} };
`;

/** Those that are not joined with any other: they die. */
export const APART: ReadonlySet<string> = new Set([
  'mortal',
  'mortal-once',
  'mortal-always',
  'mortal-unmarked',
  'mortal-midway',
]);

/** Components that do well and badly whatever a component can do to another. */
export const PROBES: AppConfig['components'] = {
  asker: { entry: './probes/asker.ts', routes: ['/probe/*'] },
  helper: { entry: './probes/helper.ts', storage: ['./data'] },
  sloth: { entry: './probes/helper.ts', timeout: '3s' },
  // Answers nobody: a limit holds wherever it runs.
  off: { entry: './probes/helper.ts', limits: { concurrency: 0 } },
  // May call nobody but the helper.
  hermit: { entry: './probes/hermit.ts', calls: ['helper'] },
  'ring-a': { entry: './probes/ring-a.ts' },
  'ring-b': { entry: './probes/ring-b.ts' },
  'ladder-a': { entry: './probes/ladder.ts', concurrency: 100 },
  'ladder-b': { entry: './probes/ladder.ts', concurrency: 100 },
  // One for each way to die, so that none takes along what is asked of another.
  mortal: { entry: './probes/mortal.ts', storage: ['./data'] },
  'mortal-once': { entry: './probes/mortal.ts', storage: ['./data'] },
  'mortal-always': { entry: './probes/mortal.ts', storage: ['./data'] },
  'mortal-unmarked': { entry: './probes/mortal.ts', storage: ['./data'] },
  'mortal-midway': { entry: './probes/mortal.ts' },
  // Keeps what it hears.
  witness: { entry: './probes/witness.ts', events: ['order.paid'], storage: ['./data'] },
};
