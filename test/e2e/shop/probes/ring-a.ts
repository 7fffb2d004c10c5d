import { use } from 'fulcrum';

const other = use<typeof import('./ring-b.ts')>('ring-b');

/** Comes back to itself by way of the other. */
export async function turn(): Promise<string> {
  return await other.turn();
}

/** Calls the other, which calls another function of this one: no circle. */
export async function there(): Promise<string> {
  return await other.andBack();
}

export async function here(): Promise<string> {
  return 'here';
}
