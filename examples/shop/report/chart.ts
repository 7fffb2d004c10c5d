import { html, type Html } from '../shared/html.ts';

export interface Column {
  /** Under the column; empty: nothing stands there. */
  readonly label: string;
  readonly value: number;
  /** Shown while the pointer rests on it. */
  readonly title: string;
}

const [WIDTH, HEIGHT] = [720, 250];
const PLOT = { left: 64, right: 712, top: 12, bottom: 218 };
/** Of a column's place, what is left free between two. */
const GAP = 0.28;

/**
 * Columns over a scale, as SVG to be put into a page. Colours are the page's: `--bar`, `--grid`, `--quiet`.
 * @param tell a value of the scale in words. @param about what is shown, for those who do not see it.
 */
export function columns(data: readonly Column[], tell: (value: number) => string, about: string): Html {
  const scale = scaleFor(Math.max(...data.map(({ value }) => value), 0));
  const y = (value: number): number => round(PLOT.bottom - (value / scale.top) * (PLOT.bottom - PLOT.top));
  const place = (PLOT.right - PLOT.left) / Math.max(data.length, 1);
  const width = round(place * (1 - GAP));
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${about}">
    ${scale.steps.map(
      (step) =>
        html`<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${y(step)}" y2="${y(step)}" class="grid" /><text
            x="${PLOT.left - 10}"
            y="${y(step) + 4}"
            text-anchor="end"
          >
            ${tell(step)}
          </text>`,
    )}
    ${data.map(({ label, value, title }, i) => {
      const x = round(PLOT.left + place * (i + GAP / 2));
      return html`<g>
        <title>${title}</title>
        <rect x="${x}" y="${PLOT.top}" width="${width}" height="${PLOT.bottom - PLOT.top}" class="whole" />
        ${value > 0 && html`<path d="${column(x, y(value), width)}" class="bar" />`}
        ${label !== '' && html`<text x="${round(x + width / 2)}" y="${PLOT.bottom + 20}" text-anchor="middle">${label}</text>`}
      </g>`;
    })}
  </svg>`;
}

/** A scale from 0 to `top`, not below `most`, in four or five round steps (1, 2, 2.5 or 5 times a power of ten). */
export function scaleFor(most: number): { readonly top: number; readonly steps: readonly number[] } {
  const wanted = (most > 0 ? most : 1) / 5;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 2.5, 5, 10].map((times) => times * power).find((one) => one >= wanted * (1 - 1e-9))!;
  const count = Math.ceil((most > 0 ? most : 1) / step - 1e-9);
  const steps = Array.from({ length: count + 1 }, (_, i) => round(step * i));
  return { top: steps.at(-1)!, steps };
}

/** Its upper corners are round. */
function column(x: number, top: number, width: number): string {
  const r = Math.min(3, PLOT.bottom - top, width / 2);
  return `M${x} ${PLOT.bottom}V${round(top + r)}q0 ${-r} ${r} ${-r}H${round(x + width - r)}q${r} 0 ${r} ${r}V${PLOT.bottom}z`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
