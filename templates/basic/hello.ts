import type { ComponentModule } from 'fulcrum';

/** A named function: other components can call it. */
export function greeting(name: string): string {
  return `Hello, ${name}!`;
}

export default {
  fetch(request) {
    const name = new URL(request.url).searchParams.get('name') ?? 'world';
    return Response.json({ message: greeting(name) });
  },
} satisfies ComponentModule;
