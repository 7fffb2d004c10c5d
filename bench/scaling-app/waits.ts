import { setTimeout as wait } from 'node:timers/promises';

/** Takes as many milliseconds as it is told, 100 by default, and next to no processor time. */
export default {
  async fetch(request: Request): Promise<Response> {
    await wait(Number(new URL(request.url).searchParams.get('ms') ?? 100));
    return new Response('done');
  },
};
