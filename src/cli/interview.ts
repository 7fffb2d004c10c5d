import { InvalidArgumentError } from 'commander';
import type { AdviceRequest } from '../advisor/advice/request.ts';
import type { Answers, Need } from '../advisor/interview/answers.ts';
import { describedRequest } from '../advisor/interview/described-request.ts';
import { FulcrumError } from '../base/errors.ts';
import { DEFAULT_ADVISOR } from '../model/advisor-settings.ts';
import { chosenBooks, type AdviseOptions } from './advise-options.ts';
import type { Asker, Choice } from './asker.ts';
import { programOf, rateOf, workOf, type NewOptions } from './interview-options.ts';
import { terminalAsker } from './interview-terminal.ts';
import { duration, memory, share, twoQuantiles } from './simulate-options.ts';

/** Without these nothing can be said; everything else has a usual value. */
const REQUIRED = {
  trigger: '--trigger http|event|schedule|call',
  rate: '--rate 20/s',
  duration: '--duration 120ms,600ms',
  memory: '--memory 256MB',
  needs: '--needs memory,sockets,background or none',
} as const;
const NAME = 'component';
const USUAL_CPU = 0.3;
const LONGEST_NAME = 64;

type Options = NewOptions & Pick<AdviseOptions, 'book' | 'seed' | 'freeTier' | 'without'>;

/**
 * Advice on a component that is not there yet, asked for: by flags, and by questions for the others where there is a terminal. Rejects with
 * `usage` where something is missing and nobody can be asked.
 */
export async function newRequest(options: Options): Promise<AdviceRequest> {
  const { settings, books } = chosenBooks(options, DEFAULT_ADVISOR);
  const canAsk = process.stdin.isTTY && process.stderr.isTTY;
  const answers = canAsk ? await asked(options, await terminalAsker()) : assumed(options);
  return describedRequest(answers, {
    settings,
    books,
    seed: options.seed,
    freeTier: options.freeTier === true,
    without: options.without ?? [],
  });
}

/** What the flags say, and usual values for the rest. Throws `usage` where that is not enough. */
export function assumed(options: NewOptions): Answers {
  const missing = (Object.keys(REQUIRED) as (keyof typeof REQUIRED)[]).filter(
    (key) => options[key] === undefined,
  );
  if (missing.length > 0) {
    throw new FulcrumError(
      'usage',
      `Without a terminal nobody can be asked. Give also: ${missing.map((key) => REQUIRED[key]).join('; ')}.`,
    );
  }
  const { rate, trigger, shape } = options;
  return {
    name: options.name ?? NAME,
    trigger: trigger!,
    perSecond: rate!.perSecond,
    rateText: rate!.text,
    shape: shape ?? usualShape(trigger!),
    duration: options.duration!,
    cpuShare: options.cpu ?? USUAL_CPU,
    memoryBytes: options.memory!,
    needs: options.needs!,
    programStartMs: options.program ?? null,
    p99Ms: options.sloP99 ?? null,
    operations: options.work ?? null,
  };
}

/** The same, and whoever sits before the terminal is asked for what no flag says. */
export async function asked(options: NewOptions, asker: Asker): Promise<Answers> {
  const text = async <T>(
    given: T | undefined,
    message: string,
    standard: string,
    parse: (answer: string) => T,
  ): Promise<T> =>
    given === undefined ? parse(await asker.text({ message, standard, check: checked(parse) })) : given;

  const name = await text(options.name, 'What is it called?', NAME, nameOf);
  const trigger =
    options.trigger ??
    (await asker.one<Answers['trigger']>({
      message: 'What sets it off?',
      standard: 'http',
      options: [
        { value: 'http', label: 'HTTP requests' },
        { value: 'event', label: 'events or uploads, for which nobody waits' },
        { value: 'schedule', label: 'a schedule' },
        { value: 'call', label: 'other components, which wait for its answer' },
      ],
    }));
  const often = trigger === 'schedule' ? '1/d' : '1/s';
  const rate = await text(options.rate, 'How often, on average? (20/s, 300/h, 1/d)', often, rateOf);
  const shape =
    options.shape ??
    (trigger === 'schedule'
      ? 'steady'
      : await asker.one<Answers['shape']>({
          message: 'How do its calls come?',
          standard: usualShape(trigger),
          options: [
            { value: 'daily', label: 'by day more than at night' },
            { value: 'steady', label: 'at any time alike' },
            { value: 'bursty', label: 'many at once, then none for a while' },
          ],
        }));
  const took = await text(
    options.duration,
    'How long does a call take: half of them, and 99 %? (120ms,600ms)',
    '100ms,500ms',
    twoQuantiles,
  );
  const cpuShare = await text(
    options.cpu,
    'How much of that does it compute, and not wait for others? (30%)',
    '30%',
    share,
  );
  const memoryBytes = await text(options.memory, 'How much memory does it need?', '256MB', memory);
  const needs =
    options.needs ?? (await asker.some({ message: 'Does it … (none: just go on)', options: NEEDED }));
  const programStartMs = await text(
    options.program,
    'Is it a program that is there already? How long does it take to start? (3s, none)',
    'none',
    programOf,
  );
  const p99Ms = await text(
    options.sloP99,
    'Within what time must 99 % of its calls be done? (300ms, none)',
    'none',
    (answer) => (answer.trim() === 'none' ? null : duration(answer)),
  );
  const operations = await text(
    options.work,
    'Hours of work on it a month: as a function, as a service, and what one costs? (1,4,60, none)',
    'none',
    (answer) => (answer.trim() === 'none' ? null : workOf(answer)),
  );
  const { perSecond, text: rateText } = rate;
  return {
    ...{ name, trigger, perSecond, rateText, shape, duration: took, cpuShare, memoryBytes, needs },
    ...{ programStartMs, p99Ms, operations },
  };
}

const NEEDED: readonly Choice<Need>[] = [
  { value: 'memory', label: 'keep in its memory what later calls need?', hint: 'sessions, carts, rooms' },
  { value: 'sockets', label: 'hold connections open?', hint: 'WebSockets, event streams' },
  { value: 'background', label: 'work between calls?', hint: 'timers, queues of its own' },
];

function usualShape(trigger: Answers['trigger']): Answers['shape'] {
  if (trigger === 'schedule') return 'steady';
  return trigger === 'event' ? 'bursty' : 'daily';
}

function nameOf(text: string): string {
  const name = text.trim();
  if (/^[a-z][a-z0-9-]*$/.test(name) && name.length <= LONGEST_NAME) return name;
  throw new InvalidArgumentError('It has small letters, digits and hyphens, a letter first.');
}

function checked(parse: (answer: string) => unknown): (answer: string) => string | null {
  return (answer) => {
    try {
      parse(answer);
      return null;
    } catch (error) {
      if (error instanceof InvalidArgumentError) return error.message;
      throw error;
    }
  };
}
