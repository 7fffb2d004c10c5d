import type { CallSink } from '../model/calls.ts';
import type { LogEntry, LogSink } from '../model/log.ts';
import type { SecretMask } from '../secrets/mask.ts';
import type { Prepared } from './prepare.ts';

/** The values of all secrets that an app's components are given, and the token that opens its endpoint for events. */
export function secretValues({ app, env, eventToken }: Prepared): string[] {
  const ofComponents = [...app.components.values()].flatMap((spec) => {
    if (spec.kind === 'static') return [];
    return Object.entries(spec.env).flatMap(([variable, source]) => {
      const value = source.kind === 'secret' ? env.get(spec.name)?.[variable] : undefined;
      return value === undefined ? [] : [value];
    });
  });
  return eventToken === null ? ofComponents : [...ofComponents, eventToken];
}

/** `log` without what `mask` hides, for components print their environment when they are in trouble. Our own packed lines hold none of it. */
export function maskedLog(log: LogSink, mask: SecretMask): LogSink {
  return {
    write(entry) {
      if (entry.packed !== undefined) return log.write(entry);
      const text = mask.hide(entry.text);
      const fields = hiddenIn(entry.fields, mask);
      log.write(text === entry.text && fields === entry.fields ? entry : { ...entry, text, fields });
    },
  };
}

/**
 * `calls` without what `mask` hides: the names in a call that failed may be anything, such as a variable's value that was taken for a
 * component's name. Those of one that ended well are there in the code.
 */
export function maskedCalls(calls: CallSink, mask: SecretMask): CallSink {
  return {
    record(call) {
      if (call.outcome === 'ok') return calls.record(call);
      const to = mask.hide(call.to);
      const called = call.function === null ? null : mask.hide(call.function);
      calls.record(to === call.to && called === call.function ? call : { ...call, to, function: called });
    },
  };
}

function hiddenIn(fields: LogEntry['fields'], mask: SecretMask): LogEntry['fields'] {
  if (fields === null) return null;
  const written = JSON.stringify(fields);
  const shown = mask.hide(written);
  if (shown === written) return fields;
  try {
    return JSON.parse(shown) as LogEntry['fields'];
  } catch {
    // A value that looks like JSON's own signs took some of those along.
    return {};
  }
}
