import { isVerified } from '../meter/price-book.ts';
import type { Fee, FunctionPrices, PriceBook, ServicePrices, Tier } from '../model/price-book.ts';
import { paint, printableLine, wrap } from './terminal.ts';

/** What is said of one thing in the book: its name, what it is, and its path there. */
interface Row {
  readonly label: string;
  readonly values: readonly string[];
  readonly path: string;
}

const LABEL_WIDTH = 14;
const INDENT = 2;
const MILLION = 1_000_000;
const MARK = '(unverified)';

/** `function`, `service`, or both. */
export function soldBy(book: PriceBook): string[] {
  if (book.machine !== null) return ['function', 'service'];
  return [...(book.function === null ? [] : ['function']), ...(book.service === null ? [] : ['service'])];
}

/** What `books show` prints, no line wider than `width`. What was not read in the source is marked. */
export function bookLines(book: PriceBook, width: number): string[] {
  const section = (title: string, rows: readonly Row[]): string[] =>
    rows.length === 0 ? [] : ['', paint('bold', title), ...rows.flatMap((row) => rowLines(row, book, width))];
  const { function: run, service, machine } = book;
  const plain = (label: string, value: string): Row => ({ label, values: [value], path: label });
  return [
    ...wrap(`${printableLine(book.title)} (${book.id})`, width).map((line) => paint('bold', line)),
    ...[
      plain('provider', `${book.provider}, ${book.region}`),
      plain('as of', book.asOf),
      plain('source', book.source),
      plain('currency', book.currency),
    ].flatMap((row) => rowLines(row, book, width)),
    ...section('Functions', run === null ? [] : functionRows(run)),
    ...section('Services', service === null ? [] : serviceRows(service)),
    ...section(
      'The machine',
      machine === null
        ? []
        : [
            row('price', [`${amount(machine.perMonth)} a month`], 'machine.perMonth'),
            row('size', [`${machine.vcpu} vCPU, ${machine.gb} GB`], 'machine.vcpu'),
            row(
              'operation',
              [`${machine.operationHoursPerMonth} h a month at ${amount(machine.operationPerHour)}`],
              'machine.operationPerHour',
            ),
          ],
    ),
    ...section('Fees, each can be left out', book.fees.flatMap(feeRows)),
    ...(book.notes.length === 0 ? [] : ['', ...book.notes.flatMap((note) => noteLines(note, width))]),
  ];
}

function functionRows(prices: FunctionPrices): Row[] {
  const at = (key: string): string => `function.${key}`;
  const { provisioned, free } = prices;
  const time = [
    `rounded up to ${amount(prices.granularityMs)} ms`,
    ...(prices.minimumMs > 0 ? [`at least ${amount(prices.minimumMs)} ms`] : []),
  ].join(', ');
  return [
    ...tierRow('requests', prices.perMillionRequests, 'million', at('perMillionRequests')),
    ...tierRow('memory', prices.perGbSecond, 'GB-s', at('perGbSecond')),
    ...tierRow('vCPU', prices.perVcpuSecond, 'vCPU-s', at('perVcpuSecond')),
    ...tierRow('CPU time', prices.perMillionCpuMs, 'million ms', at('perMillionCpuMs')),
    ...(prices.perMonth > 0 ? [row('monthly', [amount(prices.perMonth)], at('perMonth'))] : []),
    ...(prices.billsWait
      ? [
          row('time', [time], prices.minimumMs > 0 ? at('minimumMs') : at('granularityMs')),
          row('starts', [prices.billsInit ? 'billed' : 'not billed'], at('billsInit')),
        ]
      : []),
    row('sizes', [sizesText(prices)], prices.sizesMb.length > 0 ? at('sizesMb') : at('mostMb')),
    ...(prices.vcpuPerGb === null ? [] : [row('vCPU per GB', [amount(prices.vcpuPerGb)], at('vcpuPerGb'))]),
    ...(provisioned === null ? [] : [readyRow(provisioned)]),
    ...freeRow(
      [
        ...freePart(free.requests, 'requests'),
        ...freePart(free.gbSeconds, 'GB-s'),
        ...freePart(free.vcpuSeconds, 'vCPU-s'),
        ...freePart(free.cpuMs, 'CPU-ms'),
      ],
      at('free'),
    ),
  ];
}

function sizesText(prices: FunctionPrices): string {
  if (prices.sizesMb.length > 0) return `${prices.sizesMb.map(amount).join(', ')} MB`;
  if (prices.leastMb === prices.mostMb) return `${amount(prices.mostMb)} MB`;
  return `${amount(prices.leastMb)} to ${amount(prices.mostMb)} MB in steps of ${amount(prices.memoryStepMb)}`;
}

function readyRow(prices: NonNullable<FunctionPrices['provisioned']>): Row {
  const both = (gb: number, vcpu: number): string =>
    [...(gb > 0 ? [`${amount(gb)} per GB-s`] : []), ...(vcpu > 0 ? [`${amount(vcpu)} per vCPU-s`] : [])].join(
      ', ',
    );
  const held = both(prices.perGbSecondHeld, prices.perVcpuSecondHeld);
  const run = both(prices.perGbSecondRun, prices.perVcpuSecondRun);
  return row(
    'kept ready',
    prices.held === 'always' ? [`${held} held`, `${run} at work`] : [`${held} while they wait`],
    'function.provisioned',
  );
}

function serviceRows(prices: ServicePrices): Row[] {
  const at = (key: string): string => `service.${key}`;
  const { free, idle, disk } = prices;
  return [
    ...tierRow('vCPU', prices.perVcpuHour, 'vCPU-h', at('perVcpuHour')),
    ...tierRow('memory', prices.perGbHour, 'GB-h', at('perGbHour')),
    ...(idle === null
      ? []
      : [
          row('nothing to do', [`${amount(idle.perVcpuHour)} per vCPU-h`], at('idle.perVcpuHour')),
          row('', [`${amount(idle.perGbHour)} per GB-h`], at('idle.perGbHour')),
        ]),
    ...(prices.sizes.length === 0
      ? []
      : [
          row(
            'sizes',
            prices.sizes.map((size) =>
              size.leastGb === size.mostGb
                ? `${size.vcpu} vCPU, ${size.leastGb} GB`
                : `${size.vcpu} vCPU, ${size.leastGb} to ${size.mostGb} GB`,
            ),
            at('sizes'),
          ),
        ]),
    ...prices.machines.map((machine, i) =>
      row(
        machine.name,
        [
          `${amount(machine.perHour)} per h: ${machine.vcpu} vCPU, ${machine.gb} GB${machine.sustainedVcpu < machine.vcpu ? `; ${machine.sustainedVcpu} vCPU all day` : ''}`,
        ],
        `${at('machines')}[${i}]`,
      ),
    ),
    ...(prices.surcharge > 0
      ? [row('surcharge', [`${amount(prices.surcharge * 100)} %`], at('surcharge'))]
      : []),
    ...tierRow('requests', prices.perMillionRequests, 'million', at('perMillionRequests')),
    ...(disk === null ? [] : tierRow('disk', disk.perGbHour, 'GB-h', at('disk.perGbHour'))),
    ...(disk === null || disk.includedGb === 0
      ? []
      : [row('', [`${amount(disk.includedGb)} GB of each replica at no price`], at('disk.includedGb'))]),
    ...(prices.vcpuBilled === 'used'
      ? [row('vCPU is', ['billed by the CPU time used'], at('vcpuBilled'))]
      : []),
    ...(prices.perMonth > 0 ? [row('monthly', [amount(prices.perMonth)], at('perMonth'))] : []),
    row(
      'time',
      [
        `rounded up to ${amount(prices.granularityS)} s${prices.minimumS > 0 ? `, at least ${amount(prices.minimumS)} s` : ''}`,
      ],
      prices.minimumS > 0 ? at('minimumS') : at('granularityS'),
    ),
    ...freeRow(
      [
        ...freePart(free.requests, 'requests'),
        ...freePart(free.vcpuSeconds, 'vCPU-s'),
        ...freePart(free.gbSeconds, 'GB-s'),
      ],
      at('free'),
    ),
  ];
}

function feeRows(fee: Fee, i: number): Row[] {
  const at = (key: string): string => `fees[${i}].${key}`;
  const { capacity } = fee;
  return [
    row(fee.id, [fee.title], at('title')),
    ...(fee.perHour > 0 ? [row('', [`${amount(fee.perHour)} per h`], at('perHour'))] : []),
    ...tierRow('', fee.perMillionRequests, 'million requests', at('perMillionRequests')),
    ...tierRow('', fee.perGbOut, 'GB out', at('perGbOut')),
    ...(capacity === null
      ? []
      : [
          row(
            '',
            [
              `${amount(capacity.perUnitHour)} per unit-h of ${amount(capacity.connectionsPerS)} connections/s or ${amount(capacity.gbPerHour)} GB/h`,
            ],
            at('capacity'),
          ),
        ]),
  ];
}

function tierRow(label: string, tiers: readonly Tier[], unit: string, path: string): Row[] {
  if (tiers.length === 0) return [];
  if (tiers.length === 1) return [row(label, [`${amount(tiers[0]!.price)} per ${unit}`], path)];
  const each = unit.startsWith('million') ? MILLION : 1;
  const values = tiers.map(
    ({ upTo, price }) =>
      `${amount(price)} per ${unit} ${upTo === null ? 'above' : `up to ${amount(upTo * each)} a month`}`,
  );
  return [row(label, values, path)];
}

function freeRow(parts: readonly string[], path: string): Row[] {
  return parts.length === 0 ? [] : [row('free', [`${parts.join(', ')} a month, of the whole account`], path)];
}

function freePart(quantity: number, unit: string): string[] {
  return quantity > 0 ? [`${amount(quantity)} ${unit}`] : [];
}

function row(label: string, values: readonly string[], path: string): Row {
  return { label, values, path };
}

function rowLines({ label, values, path }: Row, book: PriceBook, width: number): string[] {
  const left = INDENT + LABEL_WIDTH + 1;
  const marked = isVerified(book, path) ? values : values.map((value) => `${value} ${MARK}`);
  const lines = marked.flatMap((value) => wrap(printableLine(value), Math.max(10, width - left)));
  return lines.map((line, i) => {
    const name = i === 0 ? printableLine(label) : '';
    return `${' '.repeat(INDENT)}${paint('dim', name.padEnd(LABEL_WIDTH))} ${line.replace(MARK, (mark) => paint('yellow', mark))}`;
  });
}

function noteLines(note: string, width: number): string[] {
  return wrap(printableLine(note), width - INDENT).map((line) => ' '.repeat(INDENT) + line);
}

/** Never with an exponent, in which nobody reads prices. */
function amount(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 12 });
}
