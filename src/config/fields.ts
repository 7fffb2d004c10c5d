import { BlockList, isIP } from 'node:net';
import { isEventType } from '../base/event-limits.ts';
import { nearest } from '../base/suggest.ts';
import { isVariableName } from '../base/variable-name.ts';
import { anyOf, quote } from './issues.ts';
import { type Reading, refine, text } from './reading.ts';

/**
 * Names that no component may have. `env`, `ctx`, `self`, `events`, `workflows`, `platform` and `fulcrum` are bindings and
 * words of the platform itself, now or later; `constructor` and `default` have a meaning of their own in JavaScript.
 */
const RESERVED_NAMES: readonly string[] = [
  'constructor',
  'ctx',
  'default',
  'env',
  'events',
  'fulcrum',
  'platform',
  'self',
  'workflows',
];

const EXPECTED_NAME =
  "a name of lower-case letters, digits and hyphens that begins with a letter, such as 'my-shop'";
const EXPECTED_VARIABLE = "letters, digits and _, not beginning with a digit, such as 'API_KEY'";
const LONGEST_NAME = 41;

/** The name of an app. */
export const appName = text(EXPECTED_NAME, readName);

/** The name of a component. */
export const componentName = text(EXPECTED_NAME, (written): Reading<string> => {
  const name = readName(written);
  if ('value' in name && RESERVED_NAMES.includes(written)) {
    return { problem: 'reserved', expected: `another name than ${anyOf(RESERVED_NAMES)}` };
  }
  return name;
});

/** The name of an environment variable or of a secret. */
export const variableName = text(EXPECTED_VARIABLE, (written): Reading<string> => {
  if (written === '') return { problem: 'empty' };
  return isVariableName(written)
    ? { value: written }
    : { problem: 'not a name that an environment variable can have' };
});

/** The name of a component's variable. The others of `env` are its members that are no variables. */
export const envName = refine(variableName, EXPECTED_VARIABLE, (written): Reading<string> =>
  written === 'events'
    ? { problem: 'reserved: handlers publish with env.events', expected: "another name, such as 'EVENTS'" }
    : { value: written },
);

/** A variable's value; the operating system ends it at the first NUL. */
export const variableValue = text("a string in quotes or secret('NAME')", (written): Reading<string> =>
  written.includes('\0') ? { problem: 'has a NUL character' } : { value: written },
);

/** A path in the file system, not yet looked for. */
export function filePath(expected: string) {
  return text(expected, (written): Reading<string> => {
    if (written.trim() === '') return { problem: 'empty' };
    return written.includes('\0') ? { problem: 'has a NUL character' } : { value: written };
  });
}

export const command = filePath("a command line such as 'node server.js'");

export const eventType = text("an event's type, such as 'order.paid'", (written): Reading<string> =>
  isEventType(written)
    ? { value: written }
    : { problem: "letters, digits and . _ : / - between them are an event's type, at most 100" },
);

export const healthPath = askedPath("a path such as '/healthz'");
export const eventPath = askedPath("a path such as '/events'");

export const cacheControl = text(
  "a Cache-Control header such as 'public, max-age=3600'",
  (written): Reading<string> =>
    /^[\x20-\x7e]{1,256}$/.test(written) && written.trim() !== ''
      ? { value: written.trim() }
      : { problem: 'not the value of a header' },
);

/** An address or a CIDR block. */
export const proxyAddress = text(
  "an address or a CIDR block, such as '10.0.0.0/8' or '::1'",
  (written): Reading<string> => {
    const slash = written.indexOf('/');
    const address = slash === -1 ? written : written.slice(0, slash);
    const prefix = slash === -1 ? null : written.slice(slash + 1);
    const family = isIP(address);
    if (family === 0) return { problem: 'not an address' };
    if (prefix !== null && !/^\d{1,3}$/.test(prefix)) return { problem: 'not a CIDR block' };
    try {
      const list = new BlockList();
      if (prefix === null) list.addAddress(address, family === 4 ? 'ipv4' : 'ipv6');
      else list.addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
    } catch {
      return { problem: prefix === null ? 'not an address' : 'not a CIDR block' };
    }
    return { value: written };
  },
);

/** What a component is asked for by us; a query may be behind it. */
function askedPath(expected: string) {
  return text(expected, (written): Reading<string> => {
    if (!written.startsWith('/')) return { problem: 'a path begins with /' };
    return /^[\x21-\x7e]+$/.test(written) && !written.includes('#')
      ? { value: written }
      : { problem: 'not a path that can be asked for' };
  });
}

function readName(written: string): Reading<string> {
  if (written === '') return { problem: 'empty' };
  if (written.length > LONGEST_NAME) return { problem: `longer than ${LONGEST_NAME} characters` };
  if (/^[a-z][a-z0-9-]*$/.test(written)) return { value: written };
  const near = nearest(written, [written.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')]);
  const better = near !== null && /^[a-z][a-z0-9-]*$/.test(near);
  return {
    problem: 'not a name a component or an app can have',
    ...(better ? { expected: EXPECTED_NAME.replace("'my-shop'", quote(near)) } : {}),
  };
}
