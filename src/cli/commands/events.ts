import { parseDuration } from '../../base/duration.ts';
import { FulcrumError } from '../../base/errors.ts';
import type { EventDetails, EventPage, EventPayload, PublishedEvents } from '../../control/event-schemas.ts';
import { takesType } from '../../model/event.ts';
import type { ComponentStatus } from '../../model/status.ts';
import { connectToApp, type Target } from '../connect.ts';
import { contentText, writeContent } from '../content-text.ts';
import { eventDetailLines, eventLines } from '../event-lines.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { givenData, parseJson } from '../given-data.ts';
import { print, printJson } from '../stdout.ts';
import { paint, printableLine, terminalWidth, wrap } from '../terminal.ts';

interface Options extends Target {
  readonly json?: boolean;
}

export interface ListOptions extends Options {
  readonly component?: string;
  readonly type?: string;
  readonly state?: string;
  readonly key?: string;
  readonly lines: number;
  readonly before?: string;
}

export interface ShowOptions extends Options {
  readonly payload?: boolean;
  readonly out?: string;
}

export interface PublishOptions extends Options {
  readonly data?: string;
  readonly contentType?: string;
  readonly key?: string;
  readonly delay?: string;
  readonly dedupe?: string;
  readonly subject?: string;
}

export async function listEvents(options: ListOptions): Promise<ExitCode> {
  const { component, type, state, key, before, lines } = options;
  const filter = Object.entries({ component, type, state, key, before }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  const query = new URLSearchParams([...filter, ['limit', String(lines)]]);
  const { client, at, app } = await connectToApp(options);
  const page = await client.get<EventPage>(at(`/events?${query.toString()}`));
  if (options.json) {
    printJson(page);
    return EXIT.ok;
  }
  const { events, next } = page;
  if (events.length === 0) {
    print(
      filter.length > 0 ? `Nothing of ${app} matches.` : `${app} has nothing left to do: no event is kept.`,
    );
    return EXIT.ok;
  }
  for (const line of eventLines(events, Date.now(), terminalWidth())) print(line);
  if (next !== null) say(`There are older ones: with --before ${next}`);
  return EXIT.ok;
}

export async function showEvent(id: string, options: ShowOptions): Promise<ExitCode> {
  const { client, at } = await connectToApp(options);
  const path = at(`/events/${encodeURIComponent(id)}`);
  const wantsData = options.payload === true || options.out !== undefined;
  const payload = wantsData ? await client.get<EventPayload>(`${path}/payload`) : null;
  if (payload !== null && options.out !== undefined) {
    await writeContent(payload.data, options.out);
    if (options.payload !== true) {
      if (options.out !== '-') say(`Wrote ${payload.data.sizeBytes} bytes to ${options.out}.`);
      return EXIT.ok;
    }
  }
  const deliveries = await client.get<EventDetails[]>(path);
  if (options.json) {
    printJson({ deliveries, ...(payload === null ? {} : { payload }) });
    return EXIT.ok;
  }
  for (const line of eventDetailLines(deliveries, Date.now(), terminalWidth())) print(line);
  if (payload !== null) printPayload(payload);
  if (deliveries.some(({ state }) => state === 'dead')) {
    say(`\`fulcrum events retry ${printableLine(id)}\` has it delivered again.`);
  }
  return EXIT.ok;
}

/** The id alone on stdout, so that it can be piped; what becomes of the event on stderr. */
export async function publishEvent(type: string, options: PublishOptions): Promise<ExitCode> {
  const order = await orderOf(type, options);
  const { client, at } = await connectToApp(options);
  const answer = await client.post<PublishedEvents>(at('/events'), order);
  const [event] = answer.published;
  if (event === undefined) throw new FulcrumError('internal', 'The server told no id of what it has kept.');
  if (options.json) {
    printJson(event);
    return EXIT.ok;
  }
  print(event.id);
  if (event.duplicate) {
    say('A duplicate: this is the first one, and nothing more was published.');
    return EXIT.ok;
  }
  const components = await client.get<ComponentStatus[]>(at('/components'));
  const takers = components.filter(({ events }) => takesType(events, type)).map(({ name }) => name);
  const when = options.delay === undefined ? '' : ` in ${options.delay}`;
  say(
    takers.length === 0
      ? `No component takes ${type}: it is kept for 14 days, for one that does by then.`
      : `Kept${when === '' ? '' : `, and due${when}`}, for ${takers.join(', ')}.`,
  );
  return EXIT.ok;
}

/** What `POST …/events` is asked. Rejects with `usage`. */
async function orderOf(type: string, options: PublishOptions): Promise<object> {
  const { contentType, key, delay, dedupe, subject } = options;
  if (delay !== undefined && parseDuration(delay) === null) {
    throw new FulcrumError('usage', `--delay takes a duration such as 30s or 2h; '${delay}' is none.`);
  }
  if (contentType !== undefined && options.data === undefined) {
    throw new FulcrumError('usage', '--content-type is of what --data names: --data @photo.png.');
  }
  const data = options.data === undefined ? undefined : await givenData(options.data);
  const carried =
    data === undefined
      ? {}
      : contentType === undefined
        ? { data: parseJson('--data', data.toString('utf8')) }
        : { dataBase64: data.toString('base64'), contentType };
  return { type, ...carried, ...given({ key, delay, dedupe, subject }) };
}

function given(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function printPayload({ data, attributes }: EventPayload): void {
  const extensions = Object.entries(attributes);
  if (extensions.length > 0) {
    print('');
    for (const [name, value] of extensions) {
      print(printableLine(`${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`));
    }
  }
  print('');
  print(contentText(data));
}

/** What is about the answer, and not the answer. */
function say(text: string): void {
  for (const line of wrap(text, terminalWidth())) {
    process.stderr.write(`${paint('dim', line, process.stderr)}\n`);
  }
}
