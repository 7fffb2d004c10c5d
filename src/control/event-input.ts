import * as z from 'zod';
import { parseDuration } from '../base/duration.ts';
import { FulcrumError } from '../base/errors.ts';
import {
  MAX_EVENT_BYTES,
  MAX_EVENT_DELAY_MS,
  MAX_EVENT_KEY_LENGTH,
  type EventOrder,
} from '../model/event.ts';
import type { OwnFilter } from '../model/app-events.ts';
import type { WorkPlace } from '../model/event-store.ts';
import { WORK_STATES } from './work-states.ts';

const MOST_IDS = 1_000;
/** Of a page. */
const MOST_LISTED = 1_000;
/** What came over HTTP and by no component of the app says this where the event names no source. */
const SOURCE = '/admin';

const id = z.string().min(1).max(300);
const component = z.string().min(1).max(200);
// An exact one. As a pattern it would quietly match nothing.
const type = z
  .string()
  .min(1)
  .max(2_000)
  .refine((text) => !text.endsWith('*'), { error: "one type as it was published, such as 'order.paid'" });
const state = z.enum(WORK_STATES);
const key = z.string().min(1).max(MAX_EVENT_KEY_LENGTH);

export const eventParams = z.strictObject({ id });

export const listInput = z.strictObject({
  component: component.optional(),
  type: type.optional(),
  state: state.optional(),
  key: key.optional(),
  before: z.string().max(2_000).optional().describe('`next` of the page before'),
  limit: z.coerce.number().int().min(1).max(MOST_LISTED).default(100),
});

const filter = {
  ids: z.array(id).min(1).max(MOST_IDS).optional(),
  component: component.optional(),
  type: type.optional(),
  state: state.optional(),
  key: key.optional(),
  all: z.literal(true).optional().describe('Instead of a filter: whatever there is'),
  dryRun: z.boolean().default(false).describe('Only says how many it would be'),
};

type Filter = z.output<z.ZodObject<typeof filter>>;

/** Everything at once must be said, so that no filter that was forgotten or misspelt does it. */
function oneOf({ ids, component: of, type: typed, state: inState, key: keyed, all }: Filter): boolean {
  const filtered = [ids, of, typed, inState, keyed].some((given) => given !== undefined);
  return filtered !== (all ?? false);
}

const saysWhich = {
  error: 'say which: ids, component, type, state or key; or all: true, without any of them',
};

export const changeInput = z.strictObject(filter).refine(oneOf, saysWhich);
export const redriveInput = z.strictObject({ ...filter, to: component }).refine(oneOf, saysWhich);

/** The filter of a change, without what is about the change itself. */
export function filterOf(given: Omit<Filter, 'all' | 'dryRun'>): OwnFilter {
  const { ids, component: of, type: typed, state: inState, key: keyed } = given;
  return {
    ...(ids === undefined ? {} : { ids }),
    ...(of === undefined ? {} : { component: of }),
    ...(typed === undefined ? {} : { type: typed }),
    ...(inState === undefined ? {} : { state: inState }),
    ...(keyed === undefined ? {} : { key: keyed }),
  };
}

const delay = z.union([z.number(), z.string().max(50)]).transform((given, context): number => {
  const delayMs = typeof given === 'number' ? given : parseDuration(given);
  if (Number.isInteger(delayMs) && delayMs! >= 0 && delayMs! <= MAX_EVENT_DELAY_MS) return delayMs!;
  context.issues.push({
    code: 'custom',
    input: given,
    message: "milliseconds, or a duration such as '30s', up to 365d",
  });
  return z.NEVER;
});

/** An event as JSON. What its type may be, whoever takes it says (`event-invalid`). */
export const publishInput = z
  .strictObject({
    type: z.string().min(1).max(1_000),
    data: z.unknown().optional().describe('Any JSON; null where it is left out'),
    dataBase64: z
      .string()
      .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'base64')
      .optional()
      .describe('Instead of `data`: bytes'),
    contentType: z
      .string()
      .regex(/^[\x20-\x7e]{1,200}$/, 'a media type such as image/png')
      .optional()
      .describe('Of bytes; application/octet-stream where it is left out'),
    key: key.optional(),
    delay: delay.optional().describe("Holds it back: milliseconds, or such as '30s'"),
    dedupe: key.optional(),
    subject: z.string().min(1).max(1_000).optional(),
    source: z.string().min(1).max(1_000).optional(),
  })
  .refine(({ data, dataBase64 }) => data === undefined || dataBase64 === undefined, {
    error: 'one of data and dataBase64',
  })
  .refine(({ contentType, dataBase64 }) => contentType === undefined || dataBase64 !== undefined, {
    path: ['contentType'],
    error: 'is of dataBase64; data is JSON',
  });

/** Throws `event-invalid`. */
export function orderOf(given: z.output<typeof publishInput>): EventOrder {
  const { type: typed, data, dataBase64, contentType, key: keyed, delay: delayMs, dedupe, subject } = given;
  const bytes =
    dataBase64 === undefined ? Buffer.from(JSON.stringify(data ?? null)) : bytesOfBase64(dataBase64);
  if (bytes.length > MAX_EVENT_BYTES) {
    throw new FulcrumError(
      'event-invalid',
      `The event has ${bytes.length} bytes of data; ${MAX_EVENT_BYTES} (1 MB) at most can be published. Keep it elsewhere, and publish where it is.`,
    );
  }
  return {
    type: typed,
    data: bytes,
    contentType: dataBase64 === undefined ? 'application/json' : (contentType ?? 'application/octet-stream'),
    key: keyed ?? null,
    delayMs: delayMs ?? 0,
    dedupe: dedupe ?? null,
    id: null,
    source: given.source ?? SOURCE,
    subject: subject ?? null,
    timeMs: null,
    extensions: {},
  };
}

function bytesOfBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  // Node leaves out what does not fit, and the event would be another.
  if (bytes.toString('base64').replaceAll('=', '') === text.replaceAll('=', '')) return bytes;
  throw new FulcrumError('event-invalid', 'dataBase64 is not base64: it ends in the midst of a byte.');
}

export const invokeQuery = z.strictObject({
  async: z
    .enum(['', 'true', 'false'])
    .default('false')
    .describe('Answers 202 once it is kept; its result is asked for by its id'),
});

/** The place behind a list's last row, as text that means nothing to its reader. */
export function cursorOf({ publishedAtMs, id: last, component: of }: WorkPlace): string {
  return Buffer.from(JSON.stringify([publishedAtMs, last, of])).toString('base64url');
}

const place = z.tuple([z.int().min(0), z.string(), z.string()]);

/** Throws `bad-request` for what no list has given. */
export function placeOf(cursor: string): WorkPlace {
  try {
    const [publishedAtMs, last, of] = place.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return { publishedAtMs, id: last, component: of };
  } catch (error) {
    throw new FulcrumError(
      'bad-request',
      'The request is not valid: before: it is `next` of the page before, and no list has given this.',
      { cause: error },
    );
  }
}
