import { parseDuration } from '../../base/duration.ts';
import { FulcrumError } from '../../base/errors.ts';
import { MAX_CALL_WINDOW_MS, type CallGraph } from '../../model/calls.ts';
import type { ComponentStatus } from '../../model/status.ts';
import { connectToApp, type Target } from '../connect.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { graphLines, groupsOf } from '../graph-lines.ts';
import { print, printJson } from '../stdout.ts';
import { terminalWidth } from '../terminal.ts';

export interface PsGraphOptions extends Target {
  readonly json?: boolean;
  readonly graph?: boolean;
  /** A duration; absent: as the server has it. */
  readonly window?: string;
}

const LEAST_WINDOW_MS = 1_000;

/** Who calls whom. Throws `usage` where the options do not go together. */
export async function psGraph(name: string | undefined, options: PsGraphOptions): Promise<ExitCode> {
  const query = queryOf(name, options);
  const { client, at } = await connectToApp(options);
  const graph = await client.get<CallGraph>(at(`/calls${query}`));
  if (options.json) {
    printJson(graph);
    return EXIT.ok;
  }
  const components = await client.get<ComponentStatus[]>(at('/components'));
  for (const line of graphLines(graph, groupsOf(components), terminalWidth())) print(line);
  return EXIT.ok;
}

function queryOf(name: string | undefined, { graph, window }: PsGraphOptions): string {
  if (!graph) throw usage('--window is of the call graph: `fulcrum ps --graph --window 5m`.');
  if (name !== undefined) throw usage(`--graph shows all components together; leave '${name}' out.`);
  if (window === undefined) return '';
  const windowMs = parseDuration(window);
  if (windowMs === null || windowMs < LEAST_WINDOW_MS || windowMs > MAX_CALL_WINDOW_MS)
    throw usage(`--window takes a duration from 1s to 60m, such as 5m or 1m30s; '${window}' is none.`);
  return `?window=${windowMs}ms`;
}

function usage(message: string): FulcrumError {
  return new FulcrumError('usage', message);
}
