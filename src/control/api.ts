import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { Clock } from '../base/clock.ts';
import { FulcrumError } from '../base/errors.ts';
import { nearest } from '../base/suggest.ts';
import type { ComponentStatus } from '../model/status.ts';
import { invokeInput, logsInput, modeInput, parseInput, readJson } from './input.ts';
import type { LogQuery } from './log-book.ts';
import { logStream } from './log-stream.ts';
import type { ControlPort } from './port.ts';
import { problemResponse } from './problem.ts';

const BODY_LIMIT_BYTES = 1024 ** 2;
const MAX_FOLLOWERS = 32;

export interface ApiOptions {
  readonly port: ControlPort;
  readonly clock: Clock;
  /** Ends followed logs. */
  readonly closing: AbortSignal;
}

/** The routes below `/v1`. Who may use them is decided before. */
export function buildApi({ port, clock, closing }: ApiOptions): Hono {
  const api = new Hono();
  let followers = 0;

  const tooLarge = (): Response =>
    problemResponse(new FulcrumError('body-too-large', 'The admin API takes at most 1 MB per request.'));
  api.use('*', bodyLimit({ maxSize: BODY_LIMIT_BYTES, onError: tooLarge }));

  api.get('/app', (c) => c.json(port.app()));
  api.get('/components', async (c) => c.json(await port.components()));
  api.get('/components/:name', async (c) => c.json(await component(port, c.req.param('name'))));

  api.post('/components/:name/mode', async (c) => {
    const { mode } = parseInput(modeInput, await readJson(c.req.raw));
    const { name } = await component(port, c.req.param('name'));
    return c.json(await port.setMode(name, mode));
  });

  api.post('/components/:name/invoke', async (c) => {
    const request = parseInput(invokeInput, await readJson(c.req.raw));
    const { name } = await component(port, c.req.param('name'));
    return c.json(await port.invoke(name, request, c.req.raw.signal));
  });

  api.get('/logs', (c) => {
    const input = parseInput(logsInput, c.req.query());
    const query: LogQuery = {
      component: input.component,
      requestId: input.request,
      sinceMs: input.since,
      level: input.level,
      limit: input.limit,
    };
    if (input.follow === '0') return c.json(port.logs.query(query));
    if (followers >= MAX_FOLLOWERS) {
      throw new FulcrumError(
        'overloaded',
        `${MAX_FOLLOWERS} readers follow the log already. End one of them first.`,
      );
    }
    followers += 1;
    const onEnd = (): void => void (followers -= 1);
    return c.body(logStream({ book: port.logs, query, clock, signal: closing, onEnd }), 200, {
      'content-type': 'application/x-ndjson',
    });
  });

  api.post('/stop', (c) => {
    if (port.stop === undefined)
      throw new FulcrumError('not-found', 'This server cannot be ended by the admin API.');
    const stop = port.stop.bind(port);
    setImmediate(stop);
    return c.json({ stopping: true }, 202);
  });

  return api;
}

async function component(port: ControlPort, name: string): Promise<ComponentStatus> {
  const components = await port.components();
  const found = components.find((candidate) => candidate.name === name);
  if (found !== undefined) return found;
  const names = components.map((candidate) => candidate.name);
  const likely = nearest(name, names);
  const advice = likely === null ? `There are: ${names.join(', ')}.` : `Did you mean '${likely}'?`;
  throw new FulcrumError('not-found', `There is no component '${name}'. ${advice}`, {
    details: { nearest: likely },
  });
}
