import { appendFile, readFile } from 'node:fs/promises';
import type { ComponentModule } from 'fulcrum';

const HEARD = new URL('../data/heard.jsonl', import.meta.url);

interface Heard {
  readonly type: string;
  readonly data: { readonly id?: string };
}

/** The events that have come about an order, each as often as it did. */
export async function heard(id: string): Promise<Heard[]> {
  const text = await readFile(HEARD, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Heard)
    .filter(({ data }) => data.id === id);
}

export default {
  async queue(batch) {
    for (const { type, data } of batch.messages)
      await appendFile(HEARD, `${JSON.stringify({ type, data })}\n`);
  },
} satisfies ComponentModule;
