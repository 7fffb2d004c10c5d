import { z } from 'zod';
import { nearest } from '../base/suggest.ts';
import {
  DEFAULT_ADVISOR,
  type AdvisorSettings,
  type AutoSettings,
  type Objective,
} from '../model/advisor-settings.ts';
import { BOOK_IDS } from '../model/book-ids.ts';
import { quote } from './issues.ts';
import { duration } from './quantities.ts';
import { number, refine, text, type Reading } from './reading.ts';

const EXPECTED_BOOKS = "a list of price books such as ['aws-lambda-x86', 'aws-fargate-x86']";
const MOST_AMOUNT = 1_000_000_000;
/** Of one component: as many as a month has. */
const MOST_HOURS = 730;

/** `{}`: nothing is asked. */
export const objectiveSchema = z
  .strictObject(
    { p99: duration('1ms', '24h', '200ms').optional() },
    { error: "an object such as { p99: '200ms' }" },
  )
  .transform(({ p99 }): Objective => ({ p99Ms: p99 ?? null }));

const book = text(`a price book: \`fulcrum books ls\` lists them`, (written): Reading<string> => {
  if ((BOOK_IDS as readonly string[]).includes(written)) return { value: written };
  const near = nearest(written, BOOK_IDS);
  return { problem: 'there is no such price book', ...(near !== null && { expected: quote(near) }) };
});

const books = refine(
  z.array(book, { error: EXPECTED_BOOKS }).readonly(),
  EXPECTED_BOOKS,
  (ids): Reading<readonly string[]> => {
    if (ids.length === 0) return { problem: 'none' };
    const twice = ids.find((id, index) => ids.indexOf(id) !== index);
    return twice === undefined ? { value: ids } : { problem: `${quote(twice)} is listed twice` };
  },
);

const currency = text("a currency's three letters, such as 'USD'", (written): Reading<string> =>
  /^[A-Z]{3}$/.test(written) ? { value: written } : { problem: 'not a currency' },
);

const machineSchema = z.strictObject(
  {
    perMonth: amount('0', MOST_AMOUNT),
    currency: currency.optional(),
    vcpu: amount('0.01', 10_000),
    gb: amount('0.01', 1_000_000),
  },
  { error: 'an object such as { perMonth: 40, vcpu: 4, gb: 16 }' },
);

const EXPECTED_HOURS = 'an object such as { function: 0.5, service: 2 }';
const operationsSchema = z.strictObject(
  {
    hoursPerMonth: z.strictObject(
      { function: amount('0', MOST_HOURS).optional(), service: amount('0', MOST_HOURS).optional() },
      { error: EXPECTED_HOURS },
    ),
    perHour: amount('0', MOST_AMOUNT),
  },
  { error: 'an object such as { hoursPerMonth: { service: 2 }, perHour: 60 }' },
);

const autoSchema = z.strictObject(
  {
    acts: z.boolean({ error: 'true or false' }).optional(),
    dwell: duration('0s', '30d', '6h').optional(),
    window: duration('1m', '30d', '1h').optional(),
    leastSaving: amount('0', 1).optional(),
    switchCost: amount('0', MOST_AMOUNT).optional(),
  },
  { error: "an object such as { dwell: '6h', leastSaving: 0.1 }" },
);

/** Of the app. */
export const advisorSchema = z
  .strictObject(
    {
      books: books.optional(),
      machine: machineSchema.optional(),
      objective: objectiveSchema.optional(),
      operations: operationsSchema.optional(),
      auto: autoSchema.optional(),
    },
    { error: "an object such as { objective: { p99: '200ms' } }" },
  )
  .transform((values): AdvisorSettings => ({
    books: values.books ?? DEFAULT_ADVISOR.books,
    machine:
      values.machine === undefined ? null : { ...values.machine, currency: values.machine.currency ?? 'USD' },
    objective: values.objective ?? DEFAULT_ADVISOR.objective,
    operations:
      values.operations === undefined
        ? DEFAULT_ADVISOR.operations
        : {
            hoursPerMonth: {
              function: values.operations.hoursPerMonth.function ?? 0,
              service: values.operations.hoursPerMonth.service ?? 0,
            },
            perHour: values.operations.perHour,
          },
    auto: autoSettings(values.auto ?? {}),
  }));

function autoSettings(values: z.output<typeof autoSchema>): AutoSettings {
  const { acts, dwellMs, windowMs, leastSaving, switchCost } = DEFAULT_ADVISOR.auto;
  return {
    acts: values.acts ?? acts,
    dwellMs: values.dwell ?? dwellMs,
    windowMs: values.window ?? windowMs,
    leastSaving: values.leastSaving ?? leastSaving,
    switchCost: values.switchCost ?? switchCost,
  };
}

/** A number that need not be whole. */
function amount(least: string, most: number) {
  const mostText = String(most).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
  return number(`a number from ${least} to ${mostText}`, (value): Reading<number> => {
    if (!(value >= Number(least))) return { problem: `less than ${least}` };
    return value > most ? { problem: `more than ${mostText}` } : { value };
  });
}
