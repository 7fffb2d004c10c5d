/** A server whose wall clock runs faster, and which reckons with prices of its own: hours of `mode: 'auto'` in seconds. Its data folder, how fast, the prices, and since when. */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { systemClock, type Clock } from '../../../src/base/clock.ts';
import { shippedBooks } from '../../../src/meter/price-book.ts';
import { FulcrumServer } from '../../../src/server/server.ts';

interface Prices {
  readonly perMillionInvocations: number;
}

const [data, speed, prices, since] = process.argv.slice(2);
const { perMillionInvocations } = JSON.parse(readFileSync(prices!, 'utf8')) as Prices;
const times = Number(speed);
const beganMs = Number(since);
// Durations and timers are as ever; only what hour it is goes fast.
const clock: Clock = { ...systemClock, nowMs: () => beganMs + (Date.now() - beganMs) * times };

const books = shippedBooks().flatMap((book) => {
  if (book.id === 'aws-fargate-x86') return [book];
  if (book.id !== 'aws-lambda-x86' || book.function === null) return [];
  const perMillionRequests = [{ upTo: null, price: perMillionInvocations }];
  return [{ ...book, function: { ...book.function, perMillionRequests } }];
});

await mkdir(data!, { recursive: true });
const server = await FulcrumServer.prepare({
  options: {
    ...{
      dataDirectory: data!,
      databaseUrl: process.env['DATABASE_URL'] ?? null,
      makeKey: true,
      redirects: false,
      https: null,
    },
    ...{ http: { host: '127.0.0.1', port: 0 }, admin: null, adminHosts: [], trustedProxies: [] },
  },
  clock,
  isSuccessor: false,
  stop: () => undefined,
  restart: () => Promise.reject(new Error('This server is a test’s.')),
  auto: { books: () => books },
});
const { gatewayUrls } = await server.open([]);
await server.lead();
process.once('SIGTERM', () => void server.close(true).then(() => process.exit(0)));
process.stdout.write(`serves ${gatewayUrls[0]!}\n`);
