const MEGABYTE = new Uint8Array(1024 * 1024).fill(120);

/** GET: 13 bytes, or a megabyte. POST: the JSON it was given, or how much it was. */
export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== 'POST') {
      if (!request.url.endsWith('/download')) return new Response('Hello, world!');
      return new Response(MEGABYTE, { headers: { 'content-type': 'application/octet-stream' } });
    }
    if (request.url.endsWith('/upload')) {
      let bytes = 0;
      for await (const chunk of request.body!) bytes += chunk.length;
      return new Response(String(bytes));
    }
    return new Response(await request.arrayBuffer(), { headers: { 'content-type': 'application/json' } });
  },
};
