import type { CostCurve } from '../model/advice.ts';
import type { Mode } from '../model/app.ts';
import { axisMoney, money } from './amounts.ts';
import { between, logScale, type LogScale } from './log-scale.ts';
import { rateWords } from './rate-words.ts';

export interface CostSvgInput {
  readonly unit: string;
  /** One sentence: what the picture shows. */
  readonly answer: string;
  readonly curve: CostCurve;
  /** Ids of the books whose prices the modes have; null: none sells it. */
  readonly books: Readonly<Record<Mode, string | null>>;
}

const WIDTH = 760;
const HEIGHT = 440;
const PLOT = { left: 88, top: 84, right: WIDTH - 132, bottom: HEIGHT - 64 };
/** Of the words at the break-even. */
const EVEN_WIDTH = 150;
/** Two labels are no nearer to each other. */
const LEAST_GAP = 18;
const MODES: readonly Mode[] = ['function', 'service'];
const NAMES: Readonly<Record<Mode, string>> = { function: 'Function', service: 'Service' };

/** Contrast with the ground is 4.5 and more in both, so that it can be read as text: https://www.w3.org/TR/WCAG22/#contrast-minimum */
const STYLE = `
    svg { --ground: #ffffff; --ink: #1f2328; --dim: #59636e; --grid: #d8dee4; --function: #0a5dc2; --service: #9a4a00; }
    @media (prefers-color-scheme: dark) {
      svg { --ground: #0d1117; --ink: #e6edf3; --dim: #9198a1; --grid: #2d333b; --function: #6cb2ff; --service: #f2a355; }
    }
    .ground { fill: var(--ground); }
    text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: var(--ink); }
    .head { font-size: 16px; font-weight: 600; }
    .dim { fill: var(--dim); }
    .grid { stroke: var(--grid); stroke-width: 1; }
    .line { fill: none; stroke-width: 2.5; stroke-linejoin: round; }
    .function { stroke: var(--function); }
    .service { stroke: var(--service); stroke-dasharray: 8 5; }
    text.function { fill: var(--function); stroke: none; font-weight: 600; }
    text.service { fill: var(--service); stroke: none; font-weight: 600; }
    .here { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 2 3; }
    .even { fill: var(--ground); stroke: var(--ink); stroke-width: 2; }
    .halo { paint-order: stroke; stroke: var(--ground); stroke-width: 4px; stroke-linejoin: round; }
    .end { text-anchor: end; } .middle { text-anchor: middle; }`;

/**
 * Monthly cost over the rate as a picture, both axes logarithmic: one file that needs nothing else, light or dark as whoever looks at it has it,
 * to be read without colours (dashes, and names at the lines) and without eyes (`title` and `desc`). Null where there is nothing to draw.
 */
export function costSvg(input: CostSvgInput): string | null {
  const { unit, answer, curve } = input;
  const rates = logRates(curve);
  const costs = logScale(
    curve.points.flatMap(({ perMonth }) => MODES.map((mode) => perMonth[mode] ?? 0)),
    8,
  );
  if (rates === null || costs === null) return null;
  const x = (rate: number): number => PLOT.left + rates.at(rate) * (PLOT.right - PLOT.left);
  const y = (cost: number): number => PLOT.bottom - costs.at(cost) * (PLOT.bottom - PLOT.top);
  const title = `${unit}: cost a month as a function and as a service`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="title desc">
  <title id="title">${escaped(title)}</title>
  <desc id="desc">${escaped(description(input))}</desc>
  <style>${STYLE}
  </style>
  <rect class="ground" width="${WIDTH}" height="${HEIGHT}"/>
${[
  text(24, 32, 'head', title),
  text(24, 54, 'dim', cut(answer, 100)),
  ...costAxis(costs, y, curve.currency),
  ...rateAxis(rates, x),
  ...hereMark(curve, x),
  ...MODES.map((mode) => lineOf(curve, mode, x, y)),
  ...evenMark(curve, x, y),
  ...lineNames(input, y),
]
  .filter((part) => part !== '')
  .map((part) => `  ${part}`)
  .join('\n')}
</svg>
`;
}

/** The rates of a curve need not fill decades: it has the picture from end to end. */
function logRates({ points }: CostCurve): Pick<LogScale, 'from' | 'to' | 'ticks' | 'at'> | null {
  const [first, last] = [points[0]?.perSecond ?? 0, points.at(-1)?.perSecond ?? 0];
  if (!(first > 0) || !(last > first)) return null;
  const decades = logScale([first, last], 9);
  const share = (rate: number): number => Math.log(rate / first) / Math.log(last / first);
  return {
    from: first,
    to: last,
    ticks: decades!.ticks.filter((tick) => tick >= first * 0.999 && tick <= last * 1.001),
    at: share,
  };
}

function costAxis(costs: LogScale, y: (cost: number) => number, currency: string): string[] {
  return costs.ticks.flatMap((cost) => [
    `<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${place(y(cost))}" y2="${place(y(cost))}"/>`,
    text(PLOT.left - 8, y(cost) + 4, 'dim end', axisMoney(cost, currency)),
  ]);
}

function rateAxis(rates: Pick<LogScale, 'from' | 'to' | 'ticks'>, x: (rate: number) => number): string[] {
  const ticks = rates.ticks.length >= 2 ? rates.ticks : [rates.from, rates.to];
  // Names of rates are long, and do not lie over each other.
  const every = Math.ceil(ticks.length / 7);
  return [
    ...ticks
      .filter((_, i) => i % every === 0)
      .flatMap((rate) => [
        `<line class="grid" x1="${place(x(rate))}" x2="${place(x(rate))}" y1="${PLOT.top}" y2="${PLOT.bottom}"/>`,
        text(x(rate), PLOT.bottom + 20, 'dim middle', rateWords(rate)),
      ]),
    text(
      (PLOT.left + PLOT.right) / 2,
      PLOT.bottom + 46,
      'dim middle',
      'invocations, on average (both axes logarithmic)',
    ),
  ];
}

function lineOf(
  { points }: CostCurve,
  mode: Mode,
  x: (rate: number) => number,
  y: (cost: number) => number,
): string {
  let path = '';
  let pen: 'M' | 'L' = 'M';
  for (const { perSecond, perMonth } of points) {
    const cost = perMonth[mode];
    if (cost === null || !(cost > 0)) {
      pen = 'M';
      continue;
    }
    path += `${pen}${place(x(perSecond))} ${place(y(cost))}`;
    pen = 'L';
  }
  return path === '' ? '' : `<path class="line ${mode}" d="${path}"/>`;
}

function hereMark({ here, points }: CostCurve, x: (rate: number) => number): string[] {
  if (!isInside(here, points)) return [];
  const at = x(here);
  const words = `now ${rateWords(here)}`;
  const [align, beside] = at > (PLOT.left + PLOT.right) / 2 ? ['end', -6] : ['', 6];
  return [
    `<line class="here" x1="${place(at)}" x2="${place(at)}" y1="${PLOT.top - 12}" y2="${PLOT.bottom}"/>`,
    text(at + beside, PLOT.top - 4, align, words),
  ];
}

function evenMark(
  { breakEven, points }: CostCurve,
  x: (rate: number) => number,
  y: (cost: number) => number,
): string[] {
  if (breakEven === null || !isInside(breakEven, points)) return [];
  const cost = MODES.map((mode) =>
    between(
      points.map((point) => [point.perSecond, point.perMonth[mode]]),
      breakEven,
    ),
  ).find((one) => one !== null);
  if (cost === undefined || cost === null) return [];
  const [at, height] = [x(breakEven), y(cost)];
  // Costs rise with the rate, so that there is room below and to the right of a line.
  const room = at + EVEN_WIDTH < PLOT.right;
  const below = height + (room ? 24 : 44);
  return [
    `<circle class="even" cx="${place(at)}" cy="${place(height)}" r="5"/>`,
    text(
      room ? at + 8 : PLOT.right - 4,
      below < PLOT.bottom - 4 ? below : height - 14,
      room ? 'halo' : 'halo end',
      `the same at ${rateWords(breakEven)}`,
    ),
  ];
}

/** Each at its line's right end, and apart from the other. */
function lineNames({ curve, books }: CostSvgInput, y: (cost: number) => number): string[] {
  const ends = MODES.flatMap((mode) => {
    const last = curve.points.findLast(({ perMonth }) => (perMonth[mode] ?? 0) > 0);
    return last === undefined ? [] : [{ mode, at: y(last.perMonth[mode]!) + 4 }];
  }).toSorted((a, b) => a.at - b.at);
  const [upper, lower] = ends;
  const middle =
    upper !== undefined && lower !== undefined && lower.at - upper.at < 2 * LEAST_GAP
      ? (upper.at + lower.at) / 2
      : null;
  return ends.flatMap(({ mode, at }, i) => {
    const moved = middle === null ? at : middle + (i === 0 ? -LEAST_GAP : LEAST_GAP);
    const book = books[mode];
    return [
      text(PLOT.right + 10, moved, mode, NAMES[mode]),
      ...(book === null ? [] : [text(PLOT.right + 10, moved + 15, 'dim', cut(book, 18))]),
    ];
  });
}

/** What the picture shows, in words. */
function description({ answer, curve, books }: CostSvgInput): string {
  const { points, here, breakEven, currency } = curve;
  const [first, last] = [points[0]!, points.at(-1)!];
  const cost = (value: number | null): string => (value === null ? 'not sold' : money(value, currency));
  const modes = MODES.map((mode) => {
    const book = books[mode] === null ? '' : ` (${books[mode]})`;
    return `As a ${mode}${book}: ${cost(first.perMonth[mode])} a month at ${rateWords(first.perSecond)}, ${cost(last.perMonth[mode])} at ${rateWords(last.perSecond)}.`;
  });
  const even =
    breakEven === null
      ? 'Within these rates they never cost the same.'
      : `Both cost the same at ${rateWords(breakEven)}.`;
  return [answer, ...modes, `The traffic is at ${rateWords(here)} now.`, even].join(' ');
}

function isInside(rate: number, points: CostCurve['points']): boolean {
  return rate >= points[0]!.perSecond && rate <= points.at(-1)!.perSecond;
}

function text(x: number, y: number, kind: string, content: string): string {
  const attribute = kind === '' ? '' : ` class="${kind}"`;
  return `<text${attribute} x="${place(x)}" y="${place(y)}">${escaped(content)}</text>`;
}

function place(value: number): string {
  return String(Number(value.toFixed(1)));
}

function cut(words: string, most: number): string {
  const letters = Array.from(words);
  return letters.length <= most ? words : `${letters.slice(0, most - 1).join('')}…`;
}

function escaped(words: string): string {
  return words
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, ' ');
}
