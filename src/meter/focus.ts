import type { BillLine } from '../model/bill.ts';
import type { Mode } from '../model/app.ts';
import type { PriceBook } from '../model/price-book.ts';

/** A line of a bill, and what it is of. */
export interface FocusCharge {
  /** Id of the app. */
  readonly app: string;
  readonly environment: string;
  /** A component or a group. */
  readonly unit: string;
  readonly mode: Mode;
  /** How it would have been: as it ran, or all in one mode. */
  readonly scenario: string;
  /** Whether it was counted or replayed. */
  readonly basis: string;
  /** In ms since the epoch. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly book: PriceBook;
  readonly line: BillLine;
}

/** One price of it. */
interface Priced {
  readonly tier: string;
  readonly quantity: number;
  readonly price: number;
  readonly amount: number;
}

type Cell = string | number;

/**
 * Columns of FOCUS 1.2 (FinOps Open Cost and Usage Specification, https://focus.finops.org/focus-specification/v1-2/) that are mandatory or that there
 * is something to say in; own ones begin with `x_`. A price is paid to nobody here: all four costs are what the book's list price makes.
 */
const COLUMNS: Readonly<Record<string, (charge: FocusCharge, priced: Priced) => Cell>> = {
  BilledCost: (_, { amount }) => amount,
  BillingAccountId: ({ app }) => app,
  BillingAccountName: ({ app }) => app,
  BillingCurrency: ({ book }) => book.currency,
  BillingPeriodEnd: ({ fromMs }) => monthOf(fromMs, 1),
  BillingPeriodStart: ({ fromMs }) => monthOf(fromMs, 0),
  ChargeCategory: () => 'Usage',
  // Null, as it corrects nothing.
  ChargeClass: () => '',
  ChargeDescription: ({ unit, mode, book, line }) => `${line.title}: ${unit} as a ${mode}, ${book.title}`,
  ChargeFrequency: () => 'Usage-Based',
  ChargePeriodEnd: ({ toMs }) => moment(toMs),
  ChargePeriodStart: ({ fromMs }) => moment(fromMs),
  ConsumedQuantity: (_, { quantity }) => quantity,
  ConsumedUnit: ({ line }) => line.unit,
  ContractedCost: (_, { amount }) => amount,
  ContractedUnitPrice: (_, { price }) => price,
  EffectiveCost: (_, { amount }) => amount,
  InvoiceIssuerName: ({ book }) => book.provider,
  ListCost: (_, { amount }) => amount,
  ListUnitPrice: (_, { price }) => price,
  PricingCategory: () => 'Standard',
  PricingQuantity: (_, { quantity }) => quantity,
  PricingUnit: ({ line }) => line.unit,
  ProviderName: ({ book }) => book.provider,
  PublisherName: ({ book }) => book.provider,
  RegionId: ({ book }) => book.region,
  RegionName: ({ book }) => book.region,
  ResourceId: ({ app, unit }) => `${app}/${unit}`,
  ResourceName: ({ unit }) => unit,
  ResourceType: ({ mode }) => (mode === 'function' ? 'Function' : 'Service'),
  ServiceCategory: (charge) => serviceOf(charge)[0],
  ServiceName: ({ book }) => book.title,
  ServiceSubcategory: (charge) => serviceOf(charge)[1],
  SkuId: ({ book, line }) => `${book.id}/${line.id}`,
  SkuMeter: ({ line }) => line.title,
  SkuPriceId: ({ book, line }, { tier }) => `${book.id}/${line.id}/${tier}`,
  SubAccountId: ({ environment }) => environment,
  SubAccountName: ({ environment }) => environment,
  Tags: ({ app, environment, unit }) => JSON.stringify({ app, environment, component: unit }),
  x_App: ({ app }) => app,
  x_Basis: ({ basis }) => basis,
  x_Book: ({ book }) => book.id,
  x_Component: ({ unit }) => unit,
  x_LineId: ({ line }) => line.id,
  x_Mode: ({ mode }) => mode,
  x_PricesAsOf: ({ book }) => book.asOf,
  x_Scenario: ({ scenario }) => scenario,
  x_Verified: ({ line }) => String(line.verified),
};

/** The first line. */
export function focusHead(): string {
  return Object.keys(COLUMNS).join(',');
}

/** One line for each price that the charge's quantity falls under; what of it was free is one of them, at 0. */
export function focusLines(charge: FocusCharge): string[] {
  const { parts, free } = charge.line;
  const priced: Priced[] = [
    ...(free > 0 ? [{ tier: 'free', quantity: free, price: 0, amount: 0 }] : []),
    ...parts.map((part, i) => ({ tier: `tier-${i + 1}`, ...part })),
  ];
  return priced.map((one) =>
    Object.values(COLUMNS)
      .map((column) => cell(column(charge, one)))
      .join(','),
  );
}

const FEES: Readonly<Record<string, readonly [category: string, subcategory: string]>> = {
  gateway: ['Integration', 'API Management'],
  'load-balancer': ['Networking', 'Application Networking'],
};

/** Of the allowed values of FOCUS. */
function serviceOf({ mode, book, line }: FocusCharge): readonly [category: string, subcategory: string] {
  const fee = book.fees.find(({ id }) => line.id === id || line.id.startsWith(`${id}-`));
  if (fee !== undefined) return FEES[fee.id] ?? ['Networking', 'Other (Networking)'];
  if (book.machine !== null) return ['Compute', 'Other (Compute)'];
  if (mode === 'function') return ['Compute', 'Serverless Compute'];
  const onMachines = (book.service?.machines.length ?? 0) > 0;
  return ['Compute', onMachines ? 'Virtual Machines' : 'Containers'];
}

/** RFC 4180; numbers without an exponent. */
function cell(value: Cell): string {
  if (typeof value === 'number') return plain(value);
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

function plain(value: number): string {
  const text = String(value);
  return text.includes('e') ? value.toFixed(20).replace(/\.?0+$/, '') : text;
}

function moment(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`;
}

/** The first moment of its month, or of one that follows. */
function monthOf(atMs: number, later: number): string {
  const at = new Date(atMs);
  return moment(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + later, 1));
}
