import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import type { LogEntry, LogSink } from '../model/log.ts';

/** What the platform says of itself, as lines of the app's own log: one place to look, for people and for `fulcrum logs`. */
export function bookLogger(log: LogSink, clock: Clock): Logger {
  const write =
    (level: LogEntry['level']) =>
    (fields: object, message: string): void => {
      const { component, instance, requestId } = fields as Partial<
        Record<'component' | 'instance' | 'requestId', string>
      >;
      log.write({
        atMs: clock.nowMs(),
        component: component ?? '-',
        stream: 'platform',
        level,
        text: message,
        instance: instance ?? null,
        revision: null,
        requestId: requestId ?? null,
        fields: fields as Record<string, unknown>,
      });
    };
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}
