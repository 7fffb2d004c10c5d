import { formatBytes } from '../base/bytes.ts';
import { formatDuration } from '../base/duration.ts';
import type {
  BillOffer,
  BillReport,
  BillRow,
  BillScenario,
  ScenarioCost,
  UnitUsed,
} from '../model/bill-report.ts';
import { fineMoney, number, roundMoney } from './amounts.ts';
import { offerTable } from './offer-table.ts';
import { formatTable, type Column } from './table.ts';
import { paint, printableLine, truncate, wrap } from './terminal.ts';

const USED: readonly Column[] = [
  { title: 'USED BY', minWidth: 10 },
  // It is in the table of costs, too.
  { title: 'RAN AS', dropOrder: 5 },
  { title: 'CALLS', align: 'right' },
  { title: 'COLD', align: 'right', dropOrder: 4 },
  { title: 'BUSY', align: 'right' },
  { title: 'CPU', align: 'right' },
  { title: 'LIVED', align: 'right', dropOrder: 2 },
  { title: 'HELD', align: 'right' },
  { title: 'USED', align: 'right', dropOrder: 3 },
  { title: 'OUT', align: 'right', dropOrder: 1 },
];

const OFFERS: readonly Column[] = [
  { title: 'IF IT RAN', minWidth: 10 },
  { title: 'BOOK', minWidth: 10 },
  { title: 'COST', align: 'right' },
  { title: 'A MONTH', align: 'right' },
  { title: 'KNOWN BY' },
];

const SCENARIO: Readonly<Record<BillScenario, string>> = {
  'as-it-ran': 'as it ran',
  function: 'all functions',
  service: 'all services',
};

const BASIS: Readonly<Record<BillOffer['basis'], string>> = {
  counted: 'counted',
  replayed: 'replay',
  estimated: 'estimate',
  idle: 'nothing came',
  mixed: 'partly replay',
};

/** What `bill` shows, no line wider than `width`: the answer, what was used, what it cost, and what that rests on. */
export function billLines(report: BillReport, width: number, withLines: boolean): string[] {
  const { units, offers } = report;
  const told = (text: string): string[] => wrap(printableLine(text), width);
  if (units.length === 0) {
    return [...told(`Nothing of ${report.app} was used in this time.`), ...gapLines(report).flatMap(told)];
  }
  return [
    ...told(answer(report)).map((line) => paint('bold', line)),
    ...told(head(report)).map((line) => paint('dim', line)),
    ...gapLines(report)
      .flatMap(told)
      .map((line) => paint('yellow', line)),
    '',
    ...formatTable(USED, usedRows(units), width, dimTitles),
    ...costLines(report, width),
    '',
    ...formatTable(OFFERS, offerRows(offers), width, dimTitles),
    ...(withLines ? explainLines(report, width) : []),
    '',
    ...noteLines(report, withLines).flatMap(told),
  ];
}

/** The one line that is read first. */
function answer({ cheapest }: BillReport): string {
  const said = (['function', 'service'] as const).flatMap((mode) =>
    cheapest[mode] === null ? [] : [`all as ${mode}s ${marked(cheapest[mode])}`],
  );
  const ran = cheapest['as-it-ran'];
  if (ran === null)
    return said.length === 0 ? 'None of these books sells it; see below.' : capital(said.join(', '));
  const books = [...new Set(Object.values(ran.books))].join(' and ');
  const first = `As it ran: ${marked(ran)} on ${books}`;
  return said.length === 0 ? first : `${first}; ${said.join(', ')}`;
}

function head({ app, environment, fromMs, toMs, units }: BillReport): string {
  const calls = units.reduce((sum, { executed }) => sum + executed, 0);
  return [
    app,
    ...(environment === '' || app.endsWith(`@${environment}`) ? [] : [environment]),
    `${utc(fromMs)} to ${utc(toMs)} UTC`,
    formatDuration(toMs - fromMs),
    `${calls.toLocaleString('en-GB')} calls`,
  ].join(' · ');
}

const MOST_GAPS = 3;

function gapLines({ gaps }: BillReport): string[] {
  if (gaps.length === 0) return [];
  const when = gaps
    .slice(-MOST_GAPS)
    .map(({ fromMs, toMs }) => `${utc(fromMs, true)} to ${until(fromMs, toMs)}`);
  const more = gaps.length > MOST_GAPS ? `, and ${gaps.length - MOST_GAPS} times before` : '';
  return [
    `A server ended without a word, and usage may be missing: ${when.join(', ')}${more}. What is here was used; it can only be more.`,
  ];
}

/** The time alone, where it is the same day. */
function until(fromMs: number, toMs: number): string {
  const [from, to] = [utc(fromMs, true), utc(toMs, true)];
  return to.startsWith(from.slice(0, 10)) ? to.slice(11) : to;
}

function usedRows(units: readonly UnitUsed[]): string[][] {
  const rows = units.map((one) => [printableLine(one.unit), one.modes.join(', '), ...amounts(one)]);
  return units.length < 2 ? rows : [...rows, ['all', '', ...amounts(total(units))]];
}

type Amounts = Pick<UnitUsed, 'executed' | 'cold' | 'billedMs' | 'cpuMs' | 'bytesOut' | 'instances'>;

function amounts({ executed, cold, billedMs, cpuMs, bytesOut, instances }: Amounts): string[] {
  const { livedMs, heldGbSeconds, usedGbSeconds } = instances;
  return [
    number(executed),
    cold === 0 ? '-' : number(cold),
    time(billedMs),
    time(Math.max(cpuMs, instances.cpuMs)),
    time(livedMs),
    gbTime(heldGbSeconds),
    usedGbSeconds === null ? '-' : gbTime(usedGbSeconds),
    bytesOut === 0 ? '-' : formatBytes(bytesOut),
  ];
}

function total(units: readonly UnitUsed[]): Amounts {
  const sum = (of: (unit: UnitUsed) => number): number => units.reduce((all, unit) => all + of(unit), 0);
  return {
    executed: sum(({ executed }) => executed),
    cold: sum(({ cold }) => cold),
    billedMs: sum(({ billedMs }) => billedMs),
    cpuMs: sum(({ cpuMs }) => cpuMs),
    bytesOut: sum(({ bytesOut }) => bytesOut),
    instances: {
      started: sum(({ instances }) => instances.started),
      livedMs: sum(({ instances }) => instances.livedMs),
      heldGbSeconds: sum(({ instances }) => instances.heldGbSeconds),
      usedGbSeconds: units.every(({ instances }) => instances.usedGbSeconds === null)
        ? null
        : sum(({ instances }) => instances.usedGbSeconds ?? 0),
      cpuMs: sum(({ instances }) => instances.cpuMs),
    },
  };
}

function costLines({ by, rows, cheapest }: BillReport, width: number): string[] {
  if (by === 'app' || rows.length === 0) return [];
  const columns: readonly Column[] = [
    { title: by === 'day' ? 'DAY' : 'COST OF', minWidth: 10 },
    { title: 'RAN AS', dropOrder: 1 },
    { title: 'AS IT RAN', align: 'right' },
    { title: 'AS FUNCTION', align: 'right' },
    { title: 'AS SERVICE', align: 'right' },
  ];
  const scenarios = ['as-it-ran', 'function', 'service'] as const;
  const cell = ({ cost, basis }: BillRow, scenario: BillScenario): string => {
    const amount = cost[scenario];
    const currency = cheapest[scenario]?.currency ?? 'USD';
    return amount === null ? '-' : `${mark(basis[scenario])}${fineMoney(amount, currency)}`;
  };
  const all = scenarios.map((scenario) => (cheapest[scenario] === null ? '-' : marked(cheapest[scenario])));
  return [
    '',
    ...formatTable(
      columns,
      [
        ...rows.map((row) => [
          printableLine(row.name),
          row.ran.join(', ') || '-',
          ...scenarios.map((scenario) => cell(row, scenario)),
        ]),
        ['all', '', ...all],
      ],
      width,
      dimTitles,
    ),
  ];
}

function offerRows(offers: readonly BillOffer[]): string[][] {
  return offers.map(({ scenario, mode, book, currency, exact, perMonth, verified, basis }) => [
    scenarioOf(scenario, mode),
    book,
    exact === null ? 'not sold' : `${fineMoney(exact, currency)}${verified ? '' : '*'}`,
    perMonth === null ? '-' : roundMoney(perMonth, currency),
    BASIS[basis],
  ]);
}

function scenarioOf(scenario: BillScenario, mode: BillOffer['mode']): string {
  return scenario === 'as-it-ran' && mode !== null ? `as it ran, ${mode}s` : SCENARIO[scenario];
}

function explainLines({ offers, books }: BillReport, width: number): string[] {
  return offers
    .filter(({ total }) => total !== null)
    .flatMap((offer) => {
      const { scenario, mode, book, exact, currency } = offer;
      const { asOf, source } = books.find(({ id }) => id === book)!;
      const what = scenarioOf(scenario, mode);
      return [
        '',
        paint('bold', truncate(`${book} · ${what} · ${fineMoney(exact!, currency)}`, width)),
        ...offerTable(offer, width),
        ...offer.assumptions.flatMap((assumption) => wrap(printableLine(`- ${assumption}`), width)),
        ...wrap(printableLine(`Prices of ${asOf}: ${source}`), width).map((line) => paint('dim', line)),
      ];
    });
}

function noteLines({ offers, notes, rows, cheapest }: BillReport, withLines: boolean): string[] {
  const bases = [...offers.map(({ basis }) => basis), ...rows.flatMap(({ basis }) => Object.values(basis))];
  const notSold = new Set(offers.flatMap((offer) => (offer.notSold === null ? [] : [offer.notSold])));
  const verified =
    offers.every((offer) => offer.verified) &&
    Object.values(cheapest).every((one) => one?.verified !== false);
  return [
    ...(bases.some((basis) => mark(basis) === '~')
      ? ['~ as replayed: what came, against the settings of the mode that it did not run in.']
      : []),
    ...(verified ? [] : ['* rests on prices that were not read at the provider, but remembered.']),
    'LIVED is how long instances were there, HELD the memory that they had, USED what was measured of it (GB-seconds, GB-hours).',
    ...notes,
    ...notSold,
    ...(withLines ? [] : ['--lines shows what each of them is made of.']),
  ];
}

function marked({ exact, currency, basis, verified }: ScenarioCost): string {
  return `${mark(basis)}${fineMoney(exact, currency)}${verified ? '' : '*'}`;
}

function mark(basis: BillOffer['basis']): string {
  return basis === 'counted' || basis === 'idle' ? '' : '~';
}

function time(ms: number): string {
  return ms === 0 ? '-' : formatDuration(ms);
}

/** GB-seconds, or GB-hours where there are many. */
function gbTime(gbSeconds: number): string {
  if (gbSeconds === 0) return '-';
  return gbSeconds < 3_600 ? `${number(gbSeconds)} GBs` : `${number(gbSeconds / 3_600)} GBh`;
}

function utc(atMs: number, seconds = false): string {
  const text = new Date(atMs).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, seconds ? 19 : 16)}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function dimTitles(cell: string, row: number): string {
  return row === -1 ? paint('dim', cell) : cell;
}
