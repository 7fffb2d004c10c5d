import type { UnitFacts } from '../../../model/advice-facts.ts';
import type { Criterion } from '../../../model/advice.ts';
import type { Mode } from '../../../model/app.ts';
import type { ModeFinding } from '../../../model/mode-check.ts';

/** What a rule of the switch check is about. Rules that tell of nothing to mend are left out: counters and values that are meant for all. */
export const CRITERION_OF: Readonly<Record<string, Criterion>> = {
  'shared-variable': 'state',
  'shared-object': 'state',
  'shared-entry': 'state',
  'process-env': 'state',
  'process-cwd': 'state',
  'process-umask': 'state',
  'process-exit': 'state',
  'global-change': 'state',
  'listener-leak': 'state',
  'blocks-others': 'resources',
  'memory-state': 'state',
  'memory-session': 'state',
  'local-file': 'state',
  subscription: 'state',
  connection: 'state',
  timer: 'background',
  background: 'background',
  worker: 'background',
  watcher: 'background',
  server: 'sockets',
  websocket: 'sockets',
};

/** Rules that stand for nothing against a mode. */
export const HARMLESS: readonly string[] = ['shared-counter', 'shared-value', 'lost-counter', 'not-checked'];

/** What stands in the code against `mode`, of one criterion; warnings first. */
export function findingsOf(facts: UnitFacts, mode: Mode, criterion: Criterion): readonly ModeFinding[] {
  return (facts.findings?.[mode] ?? []).filter(({ rule }) => CRITERION_OF[rule] === criterion);
}

/** The same facts, had somebody mended what stands against `mode` of that criterion. */
export function mended(facts: UnitFacts, mode: Mode, criterion: Criterion): UnitFacts {
  const { findings } = facts;
  return {
    ...facts,
    sockets: criterion === 'sockets' && mode === 'function' ? false : facts.sockets,
    findings:
      findings === null
        ? null
        : { ...findings, [mode]: findings[mode].filter(({ rule }) => CRITERION_OF[rule] !== criterion) },
  };
}

/** `catalog.ts:12: message`, or the message alone. */
export function placeOf({ file, line, member, message }: ModeFinding): string {
  const place = file === null ? (member ?? null) : `${file}${line > 0 ? `:${line}` : ''}`;
  return place === null ? message : `${place}: ${message}`;
}
