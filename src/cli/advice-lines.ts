import { formatDuration } from '../base/duration.ts';
import type { Advice, Band, ModeOutlook, Obstacle } from '../model/advice.ts';
import type { Mode } from '../model/app.ts';
import { answerOf, mainReason, otherThan, percent, whyOf } from './advice-answer.ts';
import { money, number } from './amounts.ts';
import { formatTable, type Column } from './table.ts';
import { paint, printableLine, wrap } from './terminal.ts';

const MODES: readonly Mode[] = ['function', 'service'];
const MOST_REASONS = 4;

const OUTLOOK: readonly Column[] = [
  { title: '' },
  { title: 'A MONTH', align: 'right' },
  { title: '90 % BETWEEN', align: 'right', dropOrder: 2 },
  { title: 'P50', align: 'right', dropOrder: 3 },
  { title: 'P99', align: 'right' },
  { title: '90 % BETWEEN', align: 'right', dropOrder: 1 },
  { title: 'COLD', align: 'right', dropOrder: 4 },
  { title: 'AT ONCE', align: 'right', dropOrder: 5 },
];

/** Advice as a manager reads it, no line wider than `width`: the answer, the reason, the figures, what would change it, and what it rests on. */
export function adviceLines(advice: Advice, width: number): string[] {
  const [answer, why] = [answerOf(advice), whyOf(advice)];
  return [
    ...wrapped(answer, width).map((line) => paint('bold', line)),
    ...wrapped(why, width),
    '',
    ...formatTable(
      OUTLOOK,
      MODES.map((mode) => outlookRow(advice, advice.modes[mode])),
      width,
      (cell, row) => (row === -1 ? paint('dim', cell) : cell),
    ),
    ...certainty(advice, width),
    ...alsoLines(advice, width),
    ...flipLines(advice, width),
    ...obstacleLines(advice, width),
    ...footLines(advice, width),
  ];
}

function outlookRow({ evidence, verdict }: Advice, outlook: ModeOutlook): string[] {
  const { mode, perMonth, p50Ms, p99Ms, executed, coldStarts, instances } = outlook;
  const isAnswer = 'mode' in verdict && verdict.mode === mode;
  return [
    `${isAnswer ? '→' : ' '} ${mode}`,
    perMonth === null ? 'not sold' : money(perMonth.mid, evidence.currency),
    perMonth === null ? '-' : between(perMonth, (amount) => money(amount, evidence.currency)),
    p50Ms === null ? '-' : formatDuration(p50Ms.mid),
    p99Ms === null ? '-' : formatDuration(p99Ms.mid),
    p99Ms === null ? '-' : between(p99Ms, formatDuration),
    executed === 0 ? '-' : percent(coldStarts / executed),
    number(instances.peak),
  ];
}

function between({ low, high }: Band, text: (value: number) => string): string {
  const [from, to] = [text(low), text(high)];
  return from === to ? from : `${from}–${to}`;
}

function certainty(advice: Advice, width: number): string[] {
  const { verdict, evidence, breakEven, modes } = advice;
  if (!('mode' in verdict)) return [];
  const { mode, certainty: sure, because, saves } = verdict;
  const sentences: string[] = [];
  if (because === 'cheapest' && saves !== null) {
    const meets = MODES.every((each) => modes[each].meetsObjective === 1) ? '' : ' that meets what is asked';
    sentences.push(
      `A ${mode} is the cheaper one${meets} in ${percent(sure)} of ${evidence.samples} samples of what the next window may be.`,
    );
  } else if (because === 'objective') {
    const met = (each: Mode): string => percent(modes[each].meetsObjective);
    sentences.push(
      `It meets what is asked in ${met(mode)} of ${evidence.samples} samples, and a ${otherThan(mode)} in ${met(otherThan(mode))}.`,
    );
  }
  if (breakEven !== null) {
    const { times, perSecond, band } = breakEven;
    const factor = timesText(times);
    const wide = band === null ? '' : ` (90 % between ${timesText(band.low)} and ${timesText(band.high)})`;
    sentences.push(`Both modes cost the same at ${factor} the traffic${wide}, ${rateText(perSecond)}.`);
  }
  return sentences.length === 0 ? [] : ['', ...wrapped(sentences.join(' '), width)];
}

/** What else speaks for the answer, and what against it. */
function alsoLines({ reasons, verdict }: Advice, width: number): string[] {
  if (!('mode' in verdict)) return [];
  const main = mainReason(reasons, verdict);
  const others = reasons.filter((reason) => reason !== main);
  const forIt = others.filter(({ favours }) => favours === verdict.mode).slice(0, MOST_REASONS);
  const against = others.filter(({ favours }) => favours === otherThan(verdict.mode)).slice(0, MOST_REASONS);
  return [
    ...listed(
      'What else speaks for it',
      forIt.map(({ sentence }) => sentence),
      width,
    ),
    ...listed(
      `What speaks for a ${otherThan(verdict.mode)}`,
      against.map(({ sentence }) => sentence),
      width,
    ),
  ];
}

function flipLines({ flips, verdict }: Advice, width: number): string[] {
  if (!('mode' in verdict)) return [];
  return listed(
    `A ${otherThan(verdict.mode)} would be the answer if`,
    flips.map(({ sentence }) => sentence),
    width,
  );
}

/** Those that reasons have not told: warnings, and all of them where there are no reasons. */
function obstacleLines({ obstacles, reasons, verdict }: Advice, width: number): string[] {
  const told = new Set(reasons.map(({ sentence }) => sentence));
  const isTold = ({ text }: Obstacle): boolean => [...told].some((sentence) => sentence.startsWith(text));
  const shown = obstacles.filter(
    (obstacle) => !isTold(obstacle) && (verdict.kind !== 'neither' || obstacle !== obstacles[0]),
  );
  return listed(
    'To know',
    shown.flatMap(({ mode, severity, text, evidence }) => [
      `${severity === 'impossible' ? `Rules out a ${mode}: ` : text.startsWith('As a ') ? '' : `As a ${mode}: `}${text}${evidence.length > 0 ? ` ${evidence[0]!}` : ''}`,
    ]),
    width,
  );
}

function footLines({ evidence, notes, modes }: Advice, width: number): string[] {
  const { source, fromMs, toMs, arrivals, blocks, blockMs, samples, seed, gapsMs } = evidence;
  const of = { usage: 'of its own usage', trace: 'of a trace', described: 'as described' }[source];
  const books = [...new Set(MODES.map((mode) => modes[mode].book).filter((book) => book !== null))];
  const foot = [
    `${arrivals.toLocaleString('en-US')} calls in ${formatDuration(toMs - fromMs)} ${of}`,
    `${blocks} ${blocks === 1 ? 'block' : 'blocks'} of ${formatDuration(blockMs)}`,
    `${samples} samples`,
    `seed ${seed}`,
    ...(books.length > 0 ? [books.join(', ')] : []),
  ].join(' · ');
  const gaps = gapsMs > 0 ? [`Usage may be missing in ${formatDuration(gapsMs)} of it.`] : [];
  return [
    '',
    ...[...new Set([...gaps, ...notes])].flatMap((note) => wrapped(note, width)),
    ...wrapped(foot, width).map((line) => paint('dim', line)),
  ];
}

function listed(title: string, sentences: readonly string[], width: number): string[] {
  if (sentences.length === 0) return [];
  return [
    '',
    `${title}:`,
    ...sentences.flatMap((sentence) =>
      wrapped(sentence, width - 2).map((line, i) => `${i === 0 ? '- ' : '  '}${line}`),
    ),
  ];
}

function wrapped(text: string, width: number): string[] {
  return wrap(printableLine(text), width);
}

function timesText(times: number): string {
  if (!Number.isFinite(times)) return 'no limit';
  return `${times < 10 ? Number(times.toPrecision(2)) : Math.round(times).toLocaleString('en-US')} times`;
}

function rateText(perSecond: number): string {
  if (perSecond >= 1) return `${number(perSecond)} a second`;
  return perSecond * 3_600 >= 1
    ? `${number(perSecond * 3_600)} an hour`
    : `${number(perSecond * 86_400)} a day`;
}
