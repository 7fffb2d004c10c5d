import type { UnitFacts } from '../../../model/advice-facts.ts';
import type { Criterion, Obstacle } from '../../../model/advice.ts';
import type { Mode } from '../../../model/app.ts';
import type { AdviceRequest } from '../request.ts';
import { findingsOf, placeOf } from './findings.ts';

const MOST_EVIDENCE = 5;

interface Told {
  readonly mode: Mode;
  readonly criterion: Criterion;
  readonly text: string;
}

const TOLD: readonly Told[] = [
  {
    mode: 'function',
    criterion: 'state',
    text: 'It keeps in its memory or on its disk what later calls need, and a function’s instances come and go.',
  },
  {
    mode: 'function',
    criterion: 'sockets',
    text: 'It holds connections open: as a function each is paid for as long as it lasts, and is closed at the timeout.',
  },
  {
    mode: 'function',
    criterion: 'background',
    text: 'It works on between calls, and a function stands still between them.',
  },
  {
    mode: 'service',
    criterion: 'state',
    text: 'Its calls change what they share, and a service works on several of them at a time in one process.',
  },
  {
    mode: 'service',
    criterion: 'resources',
    text: 'Its calls block the process that they run in, and in a service others wait for it.',
  },
];

/** What the author's code has against each mode, by the switch check and by what its module says of itself. */
export function codeObstacles({ facts, exists }: AdviceRequest): Obstacle[] {
  const found = TOLD.flatMap((told): Obstacle[] => {
    const findings = findingsOf(facts, told.mode, told.criterion);
    const takesSockets = told.criterion === 'sockets' && facts.sockets === true;
    if (findings.length === 0 && !takesSockets) return [];
    const certain = takesSockets || findings.some(({ severity }) => severity === 'warning');
    const evidence = findings.slice(0, MOST_EVIDENCE).map(placeOf);
    const more = findings.length - evidence.length;
    return [
      {
        ...told,
        severity: certain && !isBorne(facts, exists, told) ? 'impossible' : 'warning',
        evidence: [
          ...(takesSockets && findings.length === 0 ? ['Its module takes WebSockets.'] : []),
          ...evidence,
          ...(more > 0 ? [`… and ${more} more of the like`] : []),
        ],
      },
    ];
  });
  return [...found, ...unreadObstacles(facts)];
}

/**
 * Whether what stands against the mode is known and lived with: its author chose that mode, and it runs so. Or it takes one call at a time, so
 * that no two of them meet.
 */
function isBorne(facts: UnitFacts, exists: boolean, { mode, criterion }: Told): boolean {
  if (exists && facts.mode === mode && facts.modeSetting === mode) return true;
  return mode === 'service' && criterion !== 'background' && facts.service.concurrency === 1;
}

/** A program's code is not read: what it keeps, nobody knows. */
function unreadObstacles(facts: UnitFacts): Obstacle[] {
  if (facts.kind !== 'command') return [];
  return [
    {
      mode: 'function',
      severity: 'warning',
      criterion: 'legacy',
      text: 'It is a program of its own whose code was not read: what it keeps in memory or does between calls would be lost.',
      evidence: [],
    },
  ];
}
