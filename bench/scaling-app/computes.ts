import { work } from './work.ts';

export default { fetch: (): Response => new Response(String(work())) };
