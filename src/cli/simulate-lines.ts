import { formatDuration } from '../base/duration.ts';
import type { Comparison, FunctionResult, ModeResult, Offer, Verdict } from '../model/comparison.ts';
import { money, number, roundMoney } from './amounts.ts';
import { offerTable } from './offer-table.ts';
import { formatTable, type Column } from './table.ts';
import { paint, printableLine, truncate, wrap } from './terminal.ts';

const SHOWN_FUNCTIONS = 5;

const OFFERS: readonly Column[] = [
  { title: 'MODE' },
  { title: 'BOOK', minWidth: 8 },
  { title: 'A MONTH', align: 'right' },
  { title: 'P50', align: 'right' },
  { title: 'P95', align: 'right', dropOrder: 1 },
  { title: 'P99', align: 'right' },
  { title: 'COLD', align: 'right' },
  { title: 'MEAN', align: 'right' },
  { title: 'PEAK', align: 'right' },
];

const FUNCTIONS: readonly Column[] = [
  { title: 'FUNCTION', minWidth: 12 },
  { title: 'ARRIVALS', align: 'right' },
  { title: 'AS FUNCTION', align: 'right' },
  { title: 'P99', align: 'right', dropOrder: 1 },
  { title: 'AS SERVICE', align: 'right' },
  { title: 'P99', align: 'right', dropOrder: 2 },
  { title: 'CHEAPER' },
];

/** What `simulate` shows, no line wider than `width`: the answer, the table it comes from, and what both rest on. */
export function simulateLines(comparison: Comparison, width: number, explain: boolean): string[] {
  const { offers, modes, functions, verdict } = comparison;
  const sold = byCost(offers);
  const rows = sold.map((offer) =>
    offerRow(
      offer,
      modes.find(({ mode }) => mode === offer.mode)!,
    ),
  );
  const replayedOnly = sold.length === 0 ? modes.map((mode) => modeRow(mode)) : [];
  return [
    ...wrap(printableLine(answer(comparison)), width).map((line) => paint('bold', line)),
    ...wrap(printableLine(head(comparison)), width).map((line) => paint('dim', line)),
    '',
    ...formatTable(OFFERS, [...rows, ...replayedOnly], width, dimTitles),
    ...(functions.length > 0 && verdict !== null ? functionLines(functions, verdict, width) : []),
    ...(explain ? explainLines(comparison, width) : []),
    ...noteLines(comparison, explain, width),
  ];
}

function dimTitles(cell: string, row: number): string {
  return row === -1 ? paint('dim', cell) : cell;
}

/** The one line that is read first. */
function answer({ verdict, modes, offers }: Comparison): string {
  const p99 = (mode: string): string => durationText(modes.find((one) => one.mode === mode)?.latency?.p99Ms);
  if (verdict !== null) {
    const { mode, perMonth, currency, other } = verdict;
    const otherMode = mode === 'function' ? 'service' : 'function';
    const less = other.perMonth - perMonth;
    const latency = `p99 ${p99(mode)}, ${otherMode} ${p99(otherMode)}`;
    if (less <= 0) return `Both modes cost ${money(perMonth, currency)} a month; ${mode} ${latency}`;
    const title = mode === 'function' ? 'Function' : 'Service';
    return `${title} is cheaper by ${money(less, currency)} a month (${percent(less / other.perMonth)}); ${latency}`;
  }
  const cheapest = offers
    .filter(({ perMonth }) => perMonth !== null)
    .toSorted((a, b) => a.perMonth! - b.perMonth!)[0];
  if (cheapest === undefined) return 'None of these books sells it; see below.';
  const { mode, book, perMonth, currency } = cheapest;
  return `As a ${mode} on ${book}: ${money(perMonth!, currency)} a month, p99 ${p99(mode)}`;
}

function head({ trace, seed }: Comparison): string {
  const lengthMs = trace.toMs - trace.fromMs;
  const parts = [
    trace.format,
    ...(trace.functions > 1 ? [`${trace.functions.toLocaleString('en-GB')} functions`] : []),
    `${trace.arrivals.toLocaleString('en-GB')} arrivals in ${formatDuration(lengthMs)}`,
    `${number((trace.arrivals / lengthMs) * 1_000)}/s`,
    `seed ${seed}`,
  ];
  return parts.join(' · ');
}

function offerRow(offer: Offer, mode: ModeResult): string[] {
  const cost = `${roundMoney(offer.perMonth!, offer.currency)}${offer.verified ? '' : '*'}`;
  return [offer.mode, offer.book, cost, ...modeRow(mode).slice(3)];
}

/** The cheapest of each mode first. */
function byCost(offers: readonly Offer[]): Offer[] {
  return offers
    .filter(({ perMonth }) => perMonth !== null)
    .toSorted((a, b) => a.mode.localeCompare(b.mode) || a.perMonth! - b.perMonth!);
}

function modeRow({ mode, latency, coldStarts, instances }: ModeResult): string[] {
  return [
    mode,
    '-',
    '-',
    durationText(latency?.p50Ms),
    durationText(latency?.p95Ms),
    durationText(latency?.p99Ms),
    number(coldStarts),
    number(instances.mean),
    number(instances.peak),
  ];
}

function functionLines(functions: readonly FunctionResult[], verdict: Verdict, width: number): string[] {
  const rows = functions
    .slice(0, SHOWN_FUNCTIONS)
    .map(({ name, arrivals, perMonth, p99Ms, cheaper }) => [
      printableLine(name),
      number(arrivals),
      money(perMonth.function, verdict.currency),
      durationText(p99Ms.function),
      money(perMonth.service, verdict.currency),
      durationText(p99Ms.service),
      cheaper,
    ]);
  const { mode, book, other, mixed } = verdict;
  const asBooks = { [mode]: book, [mode === 'function' ? 'service' : 'function']: other.book };
  const count = functions.filter(({ cheaper }) => cheaper === 'function').length;
  const totals = [
    `${count.toLocaleString('en-GB')} of ${functions.length.toLocaleString('en-GB')} are cheaper as a function (${asBooks['function']}), ${(functions.length - count).toLocaleString('en-GB')} as a service (${asBooks['service']}).`,
    ...(mixed === null
      ? []
      : [`Each in its cheaper mode, all cost ${money(mixed.perMonth, verdict.currency)} a month.`]),
  ];
  return [
    '',
    ...wrap(totals.join(' '), width),
    ...(functions.length > SHOWN_FUNCTIONS
      ? wrap(`The ${SHOWN_FUNCTIONS} for which it matters most (--json has all):`, width)
      : []),
    '',
    ...formatTable(FUNCTIONS, rows, width, dimTitles),
  ];
}

function explainLines({ offers, modes }: Comparison, width: number): string[] {
  const replays = modes.flatMap(({ mode, executed, refused, used }) => [
    '',
    ...wrap(
      `${mode}: ${number(executed)} executed, ${number(refused)} refused; busy ${number(used.wholeMs / 1_000)} s, of which ${number(used.startMs / 1_000)} s starts; CPU ${number(used.cpuMs / 1_000)} s; ${number(used.gbSeconds)} GB-s. In the stretch that was replayed.`,
      width,
    ),
  ]);
  const bills = byCost(offers).flatMap((offer) => [
    '',
    paint(
      'bold',
      truncate(`${offer.book} · ${offer.mode} · ${money(offer.perMonth!, offer.currency)} a month`, width),
    ),
    ...offerTable(offer, width),
    ...offer.assumptions.flatMap((assumption) => wrap(printableLine(`- ${assumption}`), width)),
    ...wrap(printableLine(`Prices of ${offer.asOf}: ${offer.source}`), width).map((line) =>
      paint('dim', line),
    ),
  ]);
  return [...replays, ...bills];
}

function noteLines({ trace, notes, offers, modes }: Comparison, explain: boolean, width: number): string[] {
  const refused = modes.filter((mode) => mode.refused > 0);
  const sentences = [
    ...refused.map((mode) => `As a ${mode.mode}, ${number(mode.refused)} were refused.`),
    ...notes,
    ...(offers.every(({ verified }) => verified)
      ? []
      : ['* rests on prices that were not read at the provider, but remembered.']),
    ...notSoldNotes(offers),
    ...(explain || offers.every(({ perMonth }) => perMonth === null)
      ? []
      : ['--explain shows what each bill is made of.']),
  ];
  const shown = trace.bad.length;
  const bad =
    trace.badRows === 0
      ? []
      : [
          '',
          ...wrap(
            `${trace.badRows.toLocaleString('en-GB')} bad ${trace.badRows === 1 ? 'row was' : 'rows were'} left out${shown < trace.badRows ? `; the first ${shown}` : ''}:`,
            width,
          ),
          ...trace.bad.flatMap(({ file, line, found, expected }) =>
            wrap(
              printableLine(
                `${file}:${line}: found ${found === '' ? 'nothing' : `"${found}"`}, expected ${expected}`,
              ),
              width,
            ),
          ),
        ];
  return ['', ...sentences.flatMap((sentence) => wrap(printableLine(sentence), width)), ...bad];
}

/** That Lambda sells no services goes without saying; that nobody sells so much memory does not. */
function notSoldNotes(offers: readonly Offer[]): string[] {
  return offers.flatMap(({ notSold }) =>
    notSold === null || /sells no (?:services|functions)/.test(notSold) ? [] : [notSold],
  );
}

function durationText(ms: number | null | undefined): string {
  return ms === null || ms === undefined ? '-' : formatDuration(ms);
}

function percent(share: number): string {
  return `${share > 0.995 && share < 1 ? '>99' : Math.round(share * 100)} %`;
}
