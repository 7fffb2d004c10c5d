import { binding, use } from 'fulcrum';

const helper = use<typeof import('./helper.ts')>('helper');
const mortal = use<typeof import('./mortal.ts')>('mortal');
const off = use<typeof import('./helper.ts')>('off');

export async function ask(whom: 'helper' | 'mortal' | 'off'): Promise<unknown> {
  if (whom === 'mortal') return await mortal.lives();
  return await (whom === 'off' ? off : helper).back('heard');
}

export async function request(): Promise<number> {
  return (await binding('asker').fetch('/probe/values')).status;
}
