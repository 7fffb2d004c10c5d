import { writeFile } from 'node:fs/promises';
import type { AdviceProgress, AdviceRequest } from '../../advisor/advice/request.ts';
import { adviseInThread } from '../../advisor/advice/thread.ts';
import { FulcrumError, messageOf } from '../../base/errors.ts';
import type { Advice } from '../../model/advice.ts';
import { answerOf } from '../advice-answer.ts';
import { adviceLines } from '../advice-lines.ts';
import type { AdviseOptions } from '../advise-options.ts';
import { askedOf, type Asked } from '../advise-requests.ts';
import { adviseTable } from '../advise-table.ts';
import { costChart } from '../cost-chart.ts';
import { costSvg } from '../cost-svg.ts';
import { dryLines } from '../dry-lines.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { newRequest } from '../interview.ts';
import { ProgressBar } from '../progress-bar.ts';
import { print, printJson } from '../stdout.ts';
import { printableLine, terminalWidth, wrap } from '../terminal.ts';

/** Each in a thread of its own; more would not be faster on a machine that does something else, too. */
const AT_ONCE = 2;
const STEPS: Readonly<
  Record<AdviceProgress['step'], readonly [name: string, before: number, share: number]>
> = {
  replaying: ['Replaying', 0, 0.5],
  'break-even': ['Comparing', 0.5, 0.2],
  curve: ['Comparing', 0.7, 0.1],
  reasons: ['Reasons', 0.8, 0.2],
};

/** Flags that say something of what is not there yet. */
const OF_NEW = ['name', 'trigger', 'rate', 'shape', 'needs', 'program', 'work'] as const;

/** Function or service: of one component with all that speaks for and against, of all a line each. */
export async function advise(component: string | null, options: AdviseOptions): Promise<ExitCode> {
  const described = OF_NEW.find((key) => options[key] !== undefined);
  if (options.new !== true && described !== undefined)
    throw new FulcrumError('usage', `--${described} describes a new component: give it with --new.`);
  const unheard = unheardOf(options);
  if (unheard !== null) throw new FulcrumError('usage', unheard);
  const bar = new ProgressBar();
  // Whoever interrupts it must not find half a bar before their prompt.
  const clear = (): void => bar.clear();
  process.once('exit', clear);
  try {
    const asked =
      options.new === true
        ? await ofNew(component, options)
        : await askedOf(component, options, (what, share) => bar.set(what, share));
    const isOne = component !== null || asked.requests.length === 1;
    if (options.chart !== undefined && !isOne)
      throw new FulcrumError('usage', '--chart is of one component: name it.');
    if (options.dry === true) {
      bar.clear();
      if (options.json === true) printJson(withoutTraffic(asked));
      else for (const line of dryLines(asked, terminalWidth())) print(line);
      return EXIT.ok;
    }
    const all = await adviceOf(asked.requests, bar);
    bar.clear();
    if (options.chart !== undefined) await writeChart(options.chart, all[0]!);
    if (options.json === true) printJson({ app: asked.app, notes: asked.notes, advice: all });
    else show(all, asked, isOne);
  } finally {
    bar.clear();
    process.off('exit', clear);
  }
  return EXIT.ok;
}

/** What flags that go with nothing would make of the question: another than was asked. Null where there are none. */
function unheardOf(options: AdviseOptions): string | null {
  const isOwn = options.trace === undefined && options.new !== true;
  if (isOwn) {
    const ofTrace = (['format', 'memory', 'duration', 'cpu'] as const).find(
      (key) => options[key] !== undefined,
    );
    return ofTrace === undefined
      ? null
      : `--${ofTrace} says what a trace does not tell: give it with --trace or --new. An app's own usage tells all.`;
  }
  const ofServer = (['since', 'app', 'url'] as const).find((key) => options[key] !== undefined);
  if (ofServer === undefined) return null;
  const other = options.new === true ? '--new' : '--trace';
  return `--${ofServer} is of what a server counted: give either that or ${other}.`;
}

async function ofNew(component: string | null, options: AdviseOptions): Promise<Asked> {
  if (options.trace !== undefined)
    throw new FulcrumError('usage', 'Give either --new or --trace, not both: what has a trace is there.');
  const name = options.name ?? component;
  const request = await newRequest(name === null ? options : { ...options, name });
  return { app: null, requests: [request], notes: [] };
}

async function adviceOf(requests: readonly AdviceRequest[], bar: ProgressBar): Promise<Advice[]> {
  const shares = requests.map(() => 0);
  const advice: Advice[] = [];
  const left = [...requests.entries()];
  const next = async (): Promise<void> => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) {
      const [i, request] = one;
      advice[i] = await adviseInThread(request, ({ step, done, total }) => {
        const [name, before, share] = STEPS[step];
        shares[i] = before + share * (total === 0 ? 0 : done / total);
        bar.set(name, shares.reduce((sum, each) => sum + each, 0) / shares.length);
      });
      shares[i] = 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return advice;
}

function show(all: readonly Advice[], asked: Asked, isOne: boolean): void {
  const width = terminalWidth();
  const [first] = all;
  if (!isOne || first === undefined) {
    for (const line of adviseTable(all, asked.notes, width)) print(line);
    return;
  }
  for (const line of adviceLines(first, width)) print(line);
  const chart = first.curve === null ? [] : costChart(first.curve, width);
  if (chart.length > 0) print('');
  for (const line of chart) print(line);
  if (asked.notes.length > 0) print('');
  for (const note of asked.notes) for (const line of wrap(printableLine(note), width)) print(line);
}

async function writeChart(file: string, advice: Advice): Promise<void> {
  const { unit, curve, modes } = advice;
  const svg =
    curve === null
      ? null
      : costSvg({
          unit,
          answer: answerOf(advice),
          curve,
          books: { function: modes.function.book, service: modes.service.book },
        });
  if (svg === null) {
    process.stderr.write(`${file}: not written; there is nothing to draw without traffic and prices.\n`);
    return;
  }
  await writeFile(file, svg).catch((error: unknown) => {
    throw new FulcrumError('usage', `${file} cannot be written: ${messageOf(error)}.`, { cause: error });
  });
}

/** Arrivals are no JSON, and many. */
function withoutTraffic({ app, notes, requests }: Asked): unknown {
  return {
    app,
    notes,
    requests: requests.map(({ traffic, books, ...request }) => ({
      ...request,
      books: books.map(({ id }) => id),
      arrivals: traffic.kind === 'arrivals' ? traffic.traffic.arrivedAtMs.length : null,
    })),
  };
}
