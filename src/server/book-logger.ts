import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { LogEntry, LogSink } from '../model/log.ts';

/** What the platform says of itself, as lines of the app's own log: one place to look, for people and for `fulcrum logs`. */
export function bookLogger(log: LogSink, clock: Clock): Logger {
  const write =
    (level: LogEntry['level']) =>
    (fields: object, message: string): void => {
      const { app, component, instance, requestId } = fields as Partial<
        Record<'app' | 'component' | 'instance' | 'requestId', string>
      >;
      const error = Object.values(fields).find((value) => value instanceof Error) ?? null;
      log.write({
        atMs: clock.nowMs(),
        ...(app === undefined ? {} : { app }),
        component: component ?? '-',
        stream: 'platform',
        level,
        text: error === null ? message : `${message}: ${messageOf(error)}`,
        instance: instance ?? null,
        revision: null,
        requestId: requestId ?? null,
        fields: plainFields(fields),
      });
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

/** Errors as data: as they are, JSON makes nothing of them, and the log would lose just what it is for. */
function plainFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, value instanceof Error ? plainError(value) : value]),
  );
}

const MAX_CAUSES = 5;

function plainError(error: Error, depth = 0): object {
  const { name, message, stack, cause } = error;
  const code = (error as { code?: unknown }).code;
  return {
    name,
    message,
    ...(code === undefined ? {} : { code }),
    stack,
    ...(cause instanceof Error && depth < MAX_CAUSES ? { cause: plainError(cause, depth + 1) } : {}),
  };
}
