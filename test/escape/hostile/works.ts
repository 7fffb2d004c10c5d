/** What must go on working in a sandbox: nobody is kept safe by one that is switched off. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, cpus, hostname, networkInterfaces, tmpdir, totalmem, userInfo } from 'node:os';
import { join } from 'node:path';
import { runInThisContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import type { Attempt } from './attempt.ts';

const ENOUGH_CERTIFICATES = 50;

function works(name: string, run: Attempt['run'], part: Partial<Attempt> = {}): Attempt {
  return {
    name: `still works: ${name}`,
    refused: ['works'],
    run: async (world) => {
      const result = await run(world);
      return result === '' ? 'works' : result;
    },
    ...part,
  };
}

/** Empty where it holds: what was found otherwise. */
function must(holds: boolean, found: unknown): string {
  return holds ? '' : JSON.stringify(found);
}

async function listenAndConnect(where: string | number): Promise<string> {
  const server = createServer((socket) => socket.end('hello'));
  if (typeof where === 'number') server.listen(where, '127.0.0.1');
  else server.listen(where);
  await once(server, 'listening');
  const { connect } = process.getBuiltinModule('node:net');
  const address = server.address();
  const socket =
    typeof address === 'string' ? connect(address) : connect({ port: address!.port, host: '127.0.0.1' });
  const [data] = (await once(socket, 'data')) as [Buffer];
  server.close();
  return must(data.toString() === 'hello', data.toString());
}

export const worksEverywhere: readonly Attempt[] = [
  works('reading its own bundle', ({ ownBundle }) => must(readFileSync(ownBundle).length > 0, 'empty')),
  works('temporary files', ({ ownFolder }) => {
    const folder = join(ownFolder, 'works');
    mkdirSync(folder);
    writeFileSync(join(folder, 'file'), 'text');
    const text = readFileSync(join(folder, 'file'), 'utf8');
    rmSync(folder, { recursive: true });
    return must(text === 'text', text);
  }),
  works('os.tmpdir()', ({ ownFolder }) => must(tmpdir() === ownFolder, tmpdir())),
  works('storage', ({ storage }) => {
    const path = join(storage, 'kept');
    appendFileSync(path, 'x');
    return must(readFileSync(path, 'utf8').startsWith('x'), readdirSync(storage));
  }),
  works('/dev/null and /dev/urandom', () => {
    writeFileSync('/dev/null', 'x');
    return must(randomBytes(16).length === 16, 'none');
  }),
  works('a shell', () =>
    must(execFileSync('/bin/sh', ['-c', 'echo hi']).toString() === 'hi\n', 'other output'),
  ),
  works('a program in a pipe', () => {
    const text = execFileSync('/bin/sh', ['-c', 'echo b a | tr " " "\\n" | sort | head -1']).toString();
    return must(text === 'a\n', text);
  }),
  works('Node as a child', () => {
    const text = execFileSync(process.execPath, ['-p', '6 * 7'], { encoding: 'utf8' });
    return must(text === '42\n', text);
  }),
  works('a worker', async () => {
    const worker = new Worker('require("node:worker_threads").parentPort.postMessage(42)', { eval: true });
    const [message] = (await once(worker, 'message')) as [unknown];
    void worker.terminate();
    return must(message === 42, message);
  }),
  works('what Node asks of the machine', () =>
    must(cpus().length > 0 && availableParallelism() > 0 && totalmem() > 0 && process.memoryUsage().rss > 0, [
      cpus().length,
      availableParallelism(),
      totalmem(),
    ]),
  ),
  works(
    'its name and its user',
    () => {
      const { username } = userInfo();
      return must(hostname() === 'mallory' && username === 'component', [hostname(), username]);
    },
    { needs: 'files' },
  ),
  works('time zones', () => {
    const text = new Date(0).toLocaleString('en-GB', { timeZone: 'Asia/Tokyo' });
    return must(text.includes('09:00'), text);
  }),
  works('the system’s certificates', async () => {
    const { getCACertificates } = await import('node:tls');
    const count = getCACertificates('system').length;
    // Where the machine has any at all.
    return must(count === 0 || count > ENOUGH_CERTIFICATES, count);
  }),
  works('a Unix socket of its own', ({ ownFolder }) => listenAndConnect(join(ownFolder, 's'))),
  works('file watching', async ({ ownFolder }) => {
    const { watch } = await import('node:fs');
    const watcher = watch(ownFolder);
    const seen = once(watcher, 'change');
    writeFileSync(join(ownFolder, 'watched'), '');
    await seen;
    watcher.close();
    return '';
  }),
  works('WebAssembly', () => {
    // Compiled code needs memory that is written first, and executed then.
    const exported = runInThisContext(`new WebAssembly.Instance(new WebAssembly.Module(
      Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0,
        10, 6, 1, 4, 0, 65, 42, 11))).exports.f()`) as unknown;
    return must(exported === 42, exported);
  }),
  works('the thread pool', async () => {
    const { promisify } = await import('node:util');
    const { gzip } = await import('node:zlib');
    return must((await promisify(gzip)('text')).length > 0, 'empty');
  }),
];

export const worksWithNetwork: readonly Attempt[] = [
  works('names', async () => {
    const { address } = await lookup('localhost');
    return must(address === '127.0.0.1' || address === '::1', address);
  }),
  works('the addresses of the machine', () => must('lo' in networkInterfaces(), networkInterfaces())),
  works('listening and connecting', () => listenAndConnect(0)),
  works('fetch', async ({ adminPort }) => {
    const response = await fetch(`http://127.0.0.1:${adminPort}/v1/health`);
    return must(response.status === 200, response.status);
  }),
];

export const worksWithoutNetwork: readonly Attempt[] = [
  works('listening and connecting to itself', () => listenAndConnect(0), { needs: 'network' }),
];
