import { use } from 'fulcrum';

const other = use<typeof import('./ring-a.ts')>('ring-a');

export async function turn(): Promise<string> {
  return await other.turn();
}

export async function andBack(): Promise<string> {
  return `there and ${await other.here()}`;
}
