import type { HandlerList } from '../../model/instance.ts';
import { MAX_FUNCTIONS, MAX_INSPECT_URL_LENGTH } from './limits.ts';
import { readJson, type Ready } from './messages.ts';
import { protocolError } from './protocol-error.ts';

/**
 * What an instance says that it can be asked to do.
 * @param members what it was told to hold; null: one component.
 */
export function readReady(payload: Buffer, members: readonly string[] | null = null): Ready {
  const { handlers, members: told, inspectUrl } = readJson(payload);
  return {
    handlers: readList(handlers),
    ...(members !== null && { members: readMembers(told, members) }),
    inspectUrl: typeof inspectUrl === 'string' ? inspectUrl.slice(0, MAX_INSPECT_URL_LENGTH) : null,
  };
}

function readMembers(told: unknown, members: readonly string[]): Record<string, HandlerList> {
  const lists = (told ?? {}) as Record<string, unknown>;
  for (const name of Object.keys(lists))
    if (!members.includes(name)) throw protocolError('a READY with a member that it does not hold');
  return Object.fromEntries(
    members.map((name) => {
      if (!Object.hasOwn(lists, name)) throw protocolError(`a READY without the member ${name}`);
      return [name, readList(lists[name])];
    }),
  );
}

function readList(told: unknown): HandlerList {
  const list = (told ?? {}) as Record<string, unknown>;
  const functions = readNames(list['functions']);
  // An older instance knows of none.
  const idempotent = list['idempotent'] === undefined ? [] : readNames(list['idempotent']);
  const known = new Set(functions);
  if (!idempotent.every((name) => known.has(name)))
    throw protocolError('a READY with an idempotent function that is none');
  return {
    fetch: list['fetch'] === true,
    scheduled: list['scheduled'] === true,
    queue: list['queue'] === true,
    websocket: list['websocket'] === true,
    functions,
    idempotent,
  };
}

function readNames(names: unknown): string[] {
  if (
    !Array.isArray(names) ||
    names.length > MAX_FUNCTIONS ||
    names.some((name) => typeof name !== 'string')
  ) {
    throw protocolError('a READY without a list of functions');
  }
  return names as string[];
}
