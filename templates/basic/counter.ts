import { use, type ComponentModule } from 'fulcrum';

// Typed like the module itself, wherever it runs.
const hello = use<typeof import('./hello.ts')>('hello');

let visits = 0;

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname !== '/') return new Response('Not found\n', { status: 404 });
    if (request.method !== 'GET') {
      return new Response('Method not allowed\n', { status: 405, headers: { allow: 'GET' } });
    }
    visits += 1;
    return new Response(page(await hello.greeting('world'), visits), {
      headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
    });
  },
} satisfies ComponentModule;

function page(greeting: string, visits: number): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>__NAME__</title>
    <link rel="icon" href="data:," />
    <style>
      body { margin: 15vh auto 0; max-width: 34rem; padding: 0 1.5rem; font: 1.05rem/1.6 system-ui, sans-serif; }
      h1 { font-size: 2.25rem; line-height: 1.2; }
      code { background: #8882; border-radius: 0.25rem; padding: 0.1rem 0.35rem; }
      :root { color-scheme: light dark; }
    </style>
  </head>
  <body>
    <h1>${greeting}</h1>
    <p>The greeting came from the function <code>hello</code>, called just now by the service <code>counter</code>.</p>
    <p>The service has counted <strong>${visits}</strong> ${visits === 1 ? 'visit' : 'visits'} since it started. <a href="/">Visit again</a></p>
    <p>Open <a href="/api/hello?name=you">/api/hello?name=you</a> to ask the function yourself.</p>
  </body>
</html>
`;
}
