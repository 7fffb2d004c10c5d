import { z } from 'zod';
import type { PriceBook } from '../model/price-book.ts';

/**
 * What a book's file may hold. The convention of `price-book-issues.ts`: a schema's error text says what would be right. What may be left out
 * has the value that takes no part in a bill.
 */
const amount = z.number({ error: 'a number from 0 on' }).min(0, { error: 'a number from 0 on' });
const positive = z.number({ error: 'a number above 0' }).positive({ error: 'a number above 0' });
const flag = z.boolean({ error: 'true or false' });
const words = z.string({ error: 'text' }).trim().min(1, { error: 'text that is not empty' });
const id = z
  .string({ error: 'an id such as my-cloud' })
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, { error: 'lower-case letters, digits and single hyphens' });
const day = z.iso.date({ error: 'a day such as 2026-11-23' });
const currency = z
  .string({ error: 'a currency such as USD' })
  .regex(/^[A-Z]{3}$/, { error: 'three capital letters, such as USD' });

const tier = z.strictObject(
  { upTo: positive.nullable(), price: amount },
  { error: 'an object with upTo and price' },
);
/** One number is one price for all. */
const tiers = z
  .preprocess(
    (value) => (typeof value === 'number' ? [{ upTo: null, price: value }] : value),
    z.array(tier, { error: 'a price, or a list of tiers' }),
  )
  .default([]);

const provisioned = z.strictObject(
  {
    held: z.enum(['always', 'idle'], { error: `'always' or 'idle'` }),
    perGbSecondHeld: amount.default(0),
    perVcpuSecondHeld: amount.default(0),
    perGbSecondRun: amount.default(0),
    perVcpuSecondRun: amount.default(0),
    granularityS: positive,
    keepsFree: flag.default(false),
  },
  { error: 'an object, or null' },
);

const functionPrices = z.strictObject(
  {
    granularityMs: positive,
    minimumMs: amount.default(0),
    billsInit: flag.default(true),
    billsWait: flag.default(true),
    concurrent: flag.default(false),
    memoryStepMb: positive.default(1),
    leastMb: positive,
    mostMb: positive,
    sizesMb: z.array(positive, { error: 'a list of sizes in MB' }).default([]),
    vcpuPerGb: positive.nullable().default(null),
    mostGbPerVcpu: positive.nullable().default(null),
    perMillionRequests: tiers,
    perGbSecond: tiers,
    perVcpuSecond: tiers,
    perMillionCpuMs: tiers,
    perMonth: amount.default(0),
    provisioned: provisioned.nullable().default(null),
    free: z
      .strictObject(
        {
          requests: amount.default(0),
          gbSeconds: amount.default(0),
          vcpuSeconds: amount.default(0),
          cpuMs: amount.default(0),
        },
        { error: 'an object' },
      )
      .default({ requests: 0, gbSeconds: 0, vcpuSeconds: 0, cpuMs: 0 }),
  },
  { error: 'an object, or null' },
);

const size = z.strictObject(
  { vcpu: positive, leastGb: positive, mostGb: positive, stepGb: positive, diskGb: amount.default(0) },
  { error: 'an object with vcpu, leastGb, mostGb and stepGb' },
);
const machineForSale = z
  .strictObject(
    { name: words, vcpu: positive, sustainedVcpu: positive.optional(), gb: positive, perHour: amount },
    { error: 'an object with name, vcpu, gb and perHour' },
  )
  .transform((machine) => ({ ...machine, sustainedVcpu: machine.sustainedVcpu ?? machine.vcpu }));

const servicePrices = z.strictObject(
  {
    perVcpuHour: tiers,
    perGbHour: tiers,
    vcpuBilled: z.enum(['held', 'used'], { error: `'held' or 'used'` }).default('held'),
    idle: z
      .strictObject({ perVcpuHour: amount, perGbHour: amount }, { error: 'an object, or null' })
      .nullable()
      .default(null),
    sizes: z.array(size, { error: 'a list of sizes' }).default([]),
    machines: z.array(machineForSale, { error: 'a list of machines' }).default([]),
    surcharge: amount.default(0),
    disk: z
      .strictObject({ includedGb: amount, perGbHour: tiers }, { error: 'an object, or null' })
      .nullable()
      .default(null),
    granularityS: positive,
    minimumS: amount.default(0),
    perMillionRequests: tiers,
    perMonth: amount.default(0),
    free: z
      .strictObject(
        { vcpuSeconds: amount.default(0), gbSeconds: amount.default(0), requests: amount.default(0) },
        { error: 'an object' },
      )
      .default({ vcpuSeconds: 0, gbSeconds: 0, requests: 0 }),
  },
  { error: 'an object, or null' },
);

const machine = z.strictObject(
  {
    perMonth: amount,
    vcpu: positive,
    gb: positive,
    operationHoursPerMonth: amount.default(0),
    operationPerHour: amount.default(0),
  },
  { error: 'an object, or null' },
);

const fee = z.strictObject(
  {
    id,
    title: words,
    of: z.enum(['function', 'service', 'both'], { error: `'function', 'service' or 'both'` }),
    perHour: amount.default(0),
    perMillionRequests: tiers,
    perGbOut: tiers,
    capacity: z
      .strictObject(
        { perUnitHour: amount, connectionsPerS: positive, gbPerHour: positive },
        { error: 'an object, or null' },
      )
      .nullable()
      .default(null),
  },
  { error: 'an object with id, title and of' },
);

export const priceBookSchema = z.strictObject(
  {
    id,
    title: words,
    provider: words,
    region: words,
    currency,
    asOf: day,
    source: words,
    unverified: z.array(words, { error: 'a list of paths in the book' }).default([]),
    notes: z.array(words, { error: 'a list of sentences' }).default([]),
    function: functionPrices.nullable().default(null),
    service: servicePrices.nullable().default(null),
    machine: machine.nullable().default(null),
    fees: z.array(fee, { error: 'a list of fees' }).default([]),
  },
  { error: 'an object with id, title, provider, …' },
) satisfies z.ZodType<PriceBook>;
