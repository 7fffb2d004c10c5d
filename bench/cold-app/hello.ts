/** Tells whether two answers come from one loading of the module. */
const loaded = String(process.hrtime.bigint());

export default {
  fetch: (): Response => new Response('Hello, world!', { headers: { 'x-loaded': loaded } }),
};
