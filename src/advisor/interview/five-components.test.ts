import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openBook } from '../../meter/price-book.ts';
import type { Advice, Criterion } from '../../model/advice.ts';
import { DEFAULT_ADVISOR } from '../../model/advisor-settings.ts';
import type { Mode } from '../../model/app.ts';
import { advise } from '../advice/advise.ts';
import type { Answers } from './answers.ts';
import { describedRequest } from './described-request.ts';

const MB = 1024 ** 2;
const DAY_S = 86_400;

/** What an expert would say of it, and for what reason above all. */
interface Expected {
  readonly mode: Mode;
  readonly because: 'cheapest' | 'only-possible' | 'objective';
  /** One of the reasons that favour it, and how it is told. */
  readonly reason: readonly [Criterion, RegExp];
  readonly impossible: readonly Criterion[];
}

function described(some: Partial<Answers> & Pick<Answers, 'name'>): Answers {
  return {
    trigger: 'http',
    perSecond: 1,
    rateText: '1/s',
    shape: 'daily',
    duration: { p50Ms: 100, p99Ms: 500 },
    cpuShare: 0.3,
    memoryBytes: 256 * MB,
    needs: [],
    programStartMs: null,
    p99Ms: null,
    operations: null,
    ...some,
  };
}

const COMPONENTS: readonly (readonly [Answers, Expected])[] = [
  [
    described({
      name: 'nightly-report',
      trigger: 'schedule',
      ...{ perSecond: 1 / DAY_S, rateText: '1/d' },
      duration: { p50Ms: 240_000, p99Ms: 400_000 },
      ...{ cpuShare: 0.7, memoryBytes: 1_024 * MB },
    }),
    {
      mode: 'function',
      because: 'cheapest',
      reason: ['schedule', /by schedule alone \(1\/d\).* idle over 99 %/],
      impossible: [],
    },
  ],
  [
    described({
      name: 'chat',
      perSecond: 5,
      duration: { p50Ms: 20, p99Ms: 100 },
      needs: ['memory', 'sockets'],
    }),
    {
      mode: 'service',
      because: 'only-possible',
      reason: ['sockets', /connections open/],
      impossible: ['state', 'sockets'],
    },
  ],
  [
    described({
      name: 'thumbnailer',
      trigger: 'event',
      ...{ perSecond: 3_000 / DAY_S, rateText: '3000/d', shape: 'bursty' },
      duration: { p50Ms: 800, p99Ms: 4_000 },
      ...{ cpuShare: 0.9, memoryBytes: 1_024 * MB },
    }),
    { mode: 'function', because: 'cheapest', reason: ['burstiness', /come in bursts/], impossible: [] },
  ],
  [
    described({
      name: 'checkout',
      ...{ perSecond: 20, rateText: '20/s' },
      duration: { p50Ms: 120, p99Ms: 500 },
      ...{ memoryBytes: 512 * MB, p99Ms: 800 },
    }),
    {
      mode: 'service',
      because: 'cheapest',
      reason: ['duty-cycle', /calls at work on average; from/],
      impossible: [],
    },
  ],
  [
    described({
      name: 'monolith',
      ...{ perSecond: 10, rateText: '10/s' },
      duration: { p50Ms: 80, p99Ms: 900 },
      ...{ cpuShare: 0.4, memoryBytes: 1_024 * MB, programStartMs: 6_000 },
      needs: ['memory', 'background'],
    }),
    {
      mode: 'service',
      because: 'only-possible',
      reason: ['legacy', /takes 6s to start/],
      impossible: ['state', 'background'],
    },
  ],
];

function adviceOn(answers: Answers, detail: 'whole' | 'verdict' = 'whole'): Advice {
  const books = DEFAULT_ADVISOR.books.map(openBook);
  const options = { settings: DEFAULT_ADVISOR, books, seed: 1, freeTier: false, without: [] };
  return advise({ ...describedRequest(answers, options), detail });
}

for (const [answers, expected] of COMPONENTS) {
  test(`${answers.name} is advised as an expert would`, () => {
    const { verdict, obstacles, reasons } = adviceOn(answers);
    assert.equal(verdict.kind, 'switch');
    assert.deepEqual('mode' in verdict && [verdict.mode, verdict.because], [expected.mode, expected.because]);
    assert.deepEqual(
      obstacles
        .filter(({ severity }) => severity === 'impossible')
        .map(({ criterion }) => criterion)
        .sort(),
      [...expected.impossible].sort(),
    );
    const [criterion, sentence] = expected.reason;
    const found = reasons.find((reason) => reason.criterion === criterion)!;
    assert.equal(found.favours, expected.mode);
    assert.match(found.sentence, sentence);
  });
}

test('what is described is told with wider bands than what would have been measured so', () => {
  const [[answers]] = COMPONENTS as [(typeof COMPONENTS)[number], ...unknown[]];
  const books = DEFAULT_ADVISOR.books.map(openBook);
  const options = { settings: DEFAULT_ADVISOR, books, seed: 1, freeTier: false, without: [] };
  const request = { ...describedRequest(answers, options), detail: 'verdict' } as const;
  const width = ({ modes }: Advice): number => {
    const { low, high } = modes.function.perMonth!;
    return high / low;
  };
  assert.ok(width(advise(request)) > 2 * width(advise({ ...request, doubt: null })));
});

test('the answers turn with what was said: no special cases', () => {
  const [report, chat, thumbnailer, checkout] = COMPONENTS.map(([answers]) => answers) as [
    Answers,
    Answers,
    Answers,
    Answers,
  ];
  const modeOf = (answers: Answers): Mode | null => {
    const { verdict } = adviceOn(answers, 'verdict');
    return 'mode' in verdict ? verdict.mode : null;
  };
  // A chat that keeps nothing and holds nothing open, at a message now and then, is a function.
  assert.equal(modeOf({ ...chat, perSecond: 0.01, needs: [] }), 'function');
  // A report that takes half an hour cannot be one.
  assert.equal(modeOf({ ...report, duration: { p50Ms: 1_800_000, p99Ms: 2_400_000 } }), 'service');
  // Thumbnails all day long, of which each waits for a store; and a checkout for few.
  assert.equal(modeOf({ ...thumbnailer, perSecond: 5, shape: 'steady', cpuShare: 0.2 }), 'service');
  assert.equal(modeOf({ ...checkout, perSecond: 0.1 }), 'function');
});
