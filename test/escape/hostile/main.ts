/** Tries everything from where it stands, and writes what came of it, a line of JSON each. */
import { writeSync } from 'node:fs';
import { outcomeOf, type World } from './attempt.ts';
import { attemptsFor } from './table.ts';

export async function tryEverything(world: World): Promise<void> {
  for (const attempt of attemptsFor(world)) {
    const outcome = await outcomeOf(attempt, world);
    writeSync(1, `${JSON.stringify({ name: attempt.name, outcome })}\n`);
  }
}
