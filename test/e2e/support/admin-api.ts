import { readdirSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';

export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** The admin API of the server that runs with `env`, over its Unix socket. One that was killed has left its entry. */
export function adminSocket(env: NodeJS.ProcessEnv): string {
  const folder = join(env['XDG_RUNTIME_DIR']!, 'fulcrum');
  const entries = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map(
      (name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as { pid: number; socketPath: string },
    );
  const alive = entries.find(({ pid }) => isAlive(pid));
  if (alive === undefined) throw new Error(`no server has written itself down in ${folder}`);
  return alive.socketPath;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export function ask(
  env: NodeJS.ProcessEnv,
  method: string,
  path: string,
  body?: unknown,
): Promise<ApiAnswer> {
  const lines: unknown[] = [];
  return stream(env, method, path, body, (line) => lines.push(line)).then((status) => ({
    status,
    body: lines.length === 1 ? lines[0] : lines,
  }));
}

/** Tells each line of an answer as it comes. Rejects where the connection breaks. @returns the status. */
export function stream(
  env: NodeJS.ProcessEnv,
  method: string,
  path: string,
  body: unknown,
  onLine: (line: unknown) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = request({ socketPath: adminSocket(env), method, path: `/v1${path}`, headers }, (answer) => {
      let rest = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => {
        const lines = (rest + piece).split('\n');
        rest = lines.pop()!;
        for (const line of lines) if (line !== '') onLine(JSON.parse(line));
      });
      answer.on('error', reject);
      answer.on('aborted', () => reject(new Error('the answer broke off')));
      answer.on('end', () => {
        if (rest !== '') onLine(JSON.parse(rest));
        resolve(answer.statusCode!);
      });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
