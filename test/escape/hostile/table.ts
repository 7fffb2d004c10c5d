import type { Attempt, World } from './attempt.ts';
import { files } from './files.ts';
import { kernel } from './kernel.ts';
import { network, noNetwork } from './network.ts';
import { processes } from './processes.ts';
import { worksEverywhere, worksWithNetwork, worksWithoutNetwork } from './works.ts';

/** What is tried from a place such as `world`. */
export function attemptsFor(world: Pick<World, 'kind' | 'network'>): readonly Attempt[] {
  const all =
    world.network === 'none'
      ? [...noNetwork, ...worksEverywhere, ...worksWithoutNetwork]
      : [...files, ...processes, ...kernel, ...network, ...worksEverywhere, ...worksWithNetwork];
  return all.filter(
    ({ kind, x64Only }) =>
      (kind === undefined || kind === world.kind) && (x64Only !== true || process.arch === 'x64'),
  );
}
