/** A component whose every request tries to get out. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outcomeOf, type World } from './attempt.ts';
import { attemptsFor } from './table.ts';

export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method === 'GET') {
      const own = process.env['TMPDIR']!;
      writeFileSync(join(own, 'secret'), 'kept');
      return new Response(own);
    }
    const world = (await request.json()) as World;
    const lines: { name: string; outcome: string }[] = [];
    for (const attempt of attemptsFor(world)) {
      lines.push({ name: attempt.name, outcome: await outcomeOf(attempt, world) });
    }
    return Response.json({ pid: process.pid, lines });
  },
};
