import { FulcrumError } from '../../base/errors.ts';

const MOST_SHOWN = 100;

/** Where in what came over HTTP something is wrong. */
export interface Place {
  /** Which event of a batch, from 0; null where there is one only. */
  readonly index: number | null;
}

export const ALONE: Place = { index: null };

/** `event-invalid` that names the attribute, what was found and what would be right. */
export function invalidAttribute(
  place: Place,
  attribute: string,
  found: string,
  expected: string,
): FulcrumError {
  return new FulcrumError(
    'event-invalid',
    `${subject(place)}: the attribute ${quoted(attribute)}: found ${found}, expected ${expected}.`,
    { details: { ...detailsOf(place), attribute: shortened(attribute), found, expected } },
  );
}

/** The same of something that is no attribute: the body, a batch. */
export function invalidEvent(place: Place, what: string, found: string, expected: string): FulcrumError {
  return new FulcrumError(
    'event-invalid',
    `${subject(place)}: ${what}: found ${found}, expected ${expected}.`,
    { details: { ...detailsOf(place), found, expected } },
  );
}

/** Who it is about, as the beginning of a sentence. */
export function subject({ index }: Place): string {
  return index === null ? 'The CloudEvent is not valid' : `Event ${index + 1} of the batch is not valid`;
}

/** A value that somebody has sent, as a message can show it: without control characters, and not endless. */
export function quoted(value: string, most: number = MOST_SHOWN): string {
  return JSON.stringify(shortened(value.toWellFormed(), most));
}

function shortened(text: string, most: number = MOST_SHOWN): string {
  return text.length > most ? `${text.slice(0, most).toWellFormed()}…` : text;
}

function detailsOf({ index }: Place): Record<string, unknown> {
  return index === null ? {} : { event: index + 1 };
}
