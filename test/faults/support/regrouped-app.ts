import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import type { AppFolder } from '../../e2e/support/app-folder.ts';
import { countedApp } from './counted-app.ts';

type Name = 'web' | 'sums' | 'book' | 'tally';

/** Who shares a process with whom, and what is a service; the others are functions. */
export interface Grouping {
  readonly groups: Readonly<Record<string, readonly Name[]>>;
  readonly services: readonly Name[];
}

/** One after the other, again and again: each takes another way to the next. */
export const GROUPINGS: readonly Grouping[] = [
  { groups: {}, services: ['web'] },
  { groups: { core: ['sums', 'book'] }, services: ['web'] },
  { groups: { all: ['web', 'sums', 'book', 'tally'] }, services: ['web', 'sums', 'book', 'tally'] },
  { groups: { front: ['web', 'sums'], back: ['book', 'tally'] }, services: ['web', 'sums'] },
  { groups: { core: ['web', 'book'] }, services: ['web', 'book', 'sums'] },
];

export function groupedConfig({ groups, services }: Grouping): string {
  const mode = (name: Name): string => (services.includes(name) ? 'service' : 'function');
  return `
import { defineApp } from 'fulcrum';
export default defineApp({
  name: 'counted',
  groups: ${JSON.stringify(groups)},
  components: {
    web: { entry: './web.ts', routes: ['/*'], mode: '${mode('web')}' },
    sums: { entry: './sums.ts', mode: '${mode('sums')}', concurrency: 20 },
    book: { entry: './book.ts', mode: '${mode('book')}', storage: ['./kept'], concurrency: 20 },
    tally: { entry: './tally.ts', mode: '${mode('tally')}', events: ['taken'], storage: ['./kept'], concurrency: 20 },
  },
});
`;
}

/** A body that has come is written into the book by a call, and into the tally by an event. It begins with its number. */
const TAKEN = `
import { events, use } from 'fulcrum';
const book = use<typeof import('./book.ts')>('book');
export async function taken(body: string): Promise<void> {
  const number = Number.parseInt(body, 10);
  await book.write(number);
  await events.publish('taken', { number });
}
`;

const BOOK = `
import { appendFile } from 'node:fs/promises';
const BOOK = new URL('./kept/book', import.meta.url);
export async function write(number: number): Promise<void> {
  await appendFile(BOOK, number + '\\n');
}
`;

const TALLY = `
import { appendFile } from 'node:fs/promises';
const TALLY = new URL('./kept/tally', import.meta.url);
export default {
  async queue(batch: { messages: readonly { data: { number: number } }[] }): Promise<void> {
    for (const { data } of batch.messages) await appendFile(TALLY, data.number + '\\n');
  },
};
`;

/** The counted app, with two more components, in the first of {@link GROUPINGS}. */
export async function regroupedApp(t: TestContext): Promise<AppFolder> {
  return await countedApp(t, {
    'fulcrum.config.ts': groupedConfig(GROUPINGS[0]!),
    'taken.ts': TAKEN,
    'book.ts': BOOK,
    'tally.ts': TALLY,
  });
}

/** The numbers that stand in the book, or in the tally, each as often as it does. @param storage of the app, on the server. */
export async function keptIn(storage: string, what: 'book' | 'tally'): Promise<number[]> {
  const text = await readFile(`${storage}/kept/${what}`, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
}
