/** The hostile code without a sandbox: of what it would try, only what is harmless. The world is its one argument. */
import { writeSync } from 'node:fs';
import { outcomeOf, type World } from '../hostile/attempt.ts';
import { attemptsFor } from '../hostile/table.ts';

const world = JSON.parse(process.argv[2]!) as World;
for (const network of ['full', 'none'] as const) {
  for (const attempt of attemptsFor({ kind: 'function', network })) {
    if (attempt.outside === undefined) continue;
    writeSync(1, `${JSON.stringify({ name: attempt.name, outcome: await outcomeOf(attempt, world) })}\n`);
  }
}
// A connection that the server has not closed yet keeps nobody waiting.
process.exit(0);
