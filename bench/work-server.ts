import { serveLines } from './line-process.ts';
import { work } from './scaling-app/work.ts';

/** Does the work of `scaling-app/computes.ts` so many times, and says what processor time each took. */
await serveLines({ ready: true }, async (times: number) => {
  const before = process.cpuUsage();
  for (let i = 0; i < times; i++) work();
  const { user, system } = process.cpuUsage(before);
  return { cpuMs: (user + system) / 1_000 / times };
});
