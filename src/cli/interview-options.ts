import { InvalidArgumentError, Option, type Command } from 'commander';
import { DESCRIBED_SHAPES, NEEDS, type Answers, type Need } from '../advisor/interview/answers.ts';
import { parseDuration } from '../base/duration.ts';
import { nearest } from '../base/suggest.ts';
import type { TwoQuantiles } from './simulate-options.ts';

/** What may be said on the command line of a component that is not there yet; the others are asked for. */
export interface NewOptions {
  readonly name?: string;
  readonly trigger?: Answers['trigger'];
  readonly rate?: Rate;
  readonly shape?: Answers['shape'];
  readonly duration?: TwoQuantiles;
  /** 0 to 1. */
  readonly cpu?: number;
  /** Bytes. */
  readonly memory?: number;
  readonly needs?: readonly Need[];
  /** Milliseconds that it takes to start; null: it is no program. */
  readonly program?: number | null;
  readonly sloP99?: number;
  readonly work?: NonNullable<Answers['operations']>;
}

export interface Rate {
  readonly perSecond: number;
  readonly text: string;
}

const TRIGGERS = ['http', 'event', 'schedule', 'call'] as const;
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };
const LEAST_PER_SECOND = 1 / (31 * 86_400);
const MOST_PER_SECOND = 10_000;
const LONGEST_MS = 86_400_000;

/** Adds the flags of `--new`; memory, duration, CPU share and latency are those of the command itself. */
export function addNewOptions(command: Command): Command {
  return command
    .option('--name <NAME>', 'of a new component: how it is called')
    .addOption(new Option('--trigger <KIND>', 'of a new component: what sets it off').choices(TRIGGERS))
    .option('--rate <RATE>', 'of a new component: how often, such as 20/s, 1/d', rateOf)
    .addOption(
      new Option('--shape <SHAPE>', 'of a new component: how its calls come').choices(DESCRIBED_SHAPES),
    )
    .option('--needs <LIST>', `of a new component: ${NEEDS.join(',')}, or none`, needsOf)
    .option('--program <START>', 'of a new component: a program that is there, and starts so fast', programOf)
    .option('--work <F,S,COST>', 'hours a month as a function, as a service, and what one costs', workOf);
}

/** `20/s`, `1/d`. */
export function rateOf(text: string): Rate {
  const found = /^(\d+(?:\.\d+)?)\s*\/\s*([smhd])$/.exec(text.trim());
  const perSecond = found === null ? Number.NaN : Number(found[1]) / SECONDS[found[2]!]!;
  if (perSecond >= LEAST_PER_SECOND && perSecond <= MOST_PER_SECOND)
    return { perSecond, text: `${found![1]}/${found![2]}` };
  throw new InvalidArgumentError(
    'It is so many a second, minute, hour or day: 20/s, 1/d. One a month (0.033/d) to 10,000 a second.',
  );
}

/** `memory,sockets`, or `none`. */
export function needsOf(text: string): readonly Need[] {
  if (text.trim() === 'none') return [];
  return [...new Set(text.split(',').map((each) => needOf(each.trim())))];
}

function needOf(text: string): Need {
  const found = NEEDS.find((need) => need === text);
  if (found !== undefined) return found;
  const near = nearest(text, NEEDS);
  throw new InvalidArgumentError(
    `${near === null ? '' : `Did you mean "${near}"? `}It is a list of ${NEEDS.join(', ')}, or none.`,
  );
}

/** `3s`, or `none`. */
export function programOf(text: string): number | null {
  if (text.trim() === 'none') return null;
  const startMs = parseDuration(text);
  if (startMs !== null && startMs <= LONGEST_MS) return startMs;
  throw new InvalidArgumentError('It is how long it takes to start, such as 3s, or none.');
}

/** `1,4,60`. */
export function workOf(text: string): NonNullable<Answers['operations']> {
  const values = text.split(',').map((each) => (each.trim() === '' ? Number.NaN : Number(each)));
  const [asFunction, service, perHour] = values;
  if (values.length !== 3 || !values.every((value) => value >= 0 && value < 1e6)) {
    throw new InvalidArgumentError(
      'It is hours a month as a function, hours as a service, and what one costs: 1,4,60.',
    );
  }
  return { function: asFunction!, service: service!, perHour: perHour! };
}
