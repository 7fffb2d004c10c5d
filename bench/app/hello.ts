/** GET: 13 bytes. POST: the JSON it was given. */
export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== 'POST') return new Response('Hello, world!');
    return new Response(await request.arrayBuffer(), { headers: { 'content-type': 'application/json' } });
  },
};
