/**
 * Landlock: what a process may do with files, by list, and whether its signals and abstract sockets reach others. Each layer
 * is laid over those before it, and none can be taken off. See Linux, Documentation/userspace-api/landlock.rst.
 */
import { closeSync, fstatSync, openSync } from 'node:fs';
import { call } from '../native/native.ts';
import { O_PATH, openUnlinked } from './unlinked.ts';

const ACCESS = {
  execute: 1 << 0,
  writeFile: 1 << 1,
  readFile: 1 << 2,
  readDir: 1 << 3,
  refer: 1 << 13,
  truncate: 1 << 14,
  ioctlDev: 1 << 15,
} as const;
/** All rights of the first version: 13 of them. */
const FIRST_RIGHTS = (1 << 13) - 1;
/** Rights that exist on files; the kernel refuses others in a rule for one. */
const ON_FILES = ACCESS.execute | ACCESS.writeFile | ACCESS.readFile | ACCESS.truncate | ACCESS.ioctlDev;
const READ = ACCESS.execute | ACCESS.readFile | ACCESS.readDir;
const MAKE_DEVICES = (1 << 6) | (1 << 11);
const SCOPE_ABSTRACT_SOCKETS = 1 << 0;
const SCOPE_SIGNALS = 1 << 1;
const RULE_PATH_BENEATH = 1;
const ABI_WITH_SCOPES = 6;

export interface Rule {
  readonly path: string;
  /** `device`: files that exist may be read and written, nothing else. `list`: names in folders may be read. */
  readonly access: 'read' | 'list' | 'write' | 'device';
  /** What components store: no link may be passed on the way to it. */
  readonly stored?: true;
}

/** The rights that a kernel of this version knows, and so can refuse. */
function handledRights(abi: number): number {
  let rights = FIRST_RIGHTS;
  if (abi >= 2) rights |= ACCESS.refer;
  if (abi >= 3) rights |= ACCESS.truncate;
  if (abi >= 5) rights |= ACCESS.ioctlDev;
  return rights;
}

function rightsOf(access: Rule['access'], abi: number): number {
  const handled = handledRights(abi);
  switch (access) {
    case 'read':
      return READ;
    case 'list':
      return ACCESS.readDir;
    case 'write':
      return handled & ~(MAKE_DEVICES | ACCESS.ioctlDev);
    case 'device':
      return handled & (READ | ACCESS.writeFile | ACCESS.ioctlDev | ACCESS.truncate) & ~ACCESS.execute;
  }
}

/**
 * A list as the kernel holds it: its descriptor, to be restricted by once. Rules for what does not exist are left out:
 * nothing can come to be there but by the rules of its folder.
 */
export function createRuleset(abi: number, rules: readonly Rule[]): number {
  // struct landlock_ruleset_attr: rights on files, rights on the network, scopes.
  const attr = Buffer.alloc(abi >= ABI_WITH_SCOPES ? 24 : 8);
  attr.writeBigUInt64LE(BigInt(handledRights(abi)), 0);
  if (abi >= ABI_WITH_SCOPES) attr.writeBigUInt64LE(BigInt(SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS), 16);
  const ruleset = call('landlock_create_ruleset', [attr, attr.length, 0]);
  for (const rule of rules) addRule(ruleset, abi, rule);
  return ruleset;
}

export function addRule(ruleset: number, abi: number, { path, access, stored }: Rule): void {
  const descriptor = openedPath(path, stored === true);
  if (descriptor === null) return;
  try {
    const rights = rightsOf(access, abi) & (fstatSync(descriptor).isDirectory() ? ~0 : ON_FILES);
    // struct landlock_path_beneath_attr, packed.
    const attr = Buffer.alloc(12);
    attr.writeBigUInt64LE(BigInt(rights), 0);
    attr.writeInt32LE(descriptor, 8);
    call('landlock_add_rule', [ruleset, RULE_PATH_BENEATH, attr, 0], path);
  } finally {
    closeSync(descriptor);
  }
}

/** Null where nothing is there, or no longer. */
function openedPath(path: string, stored: boolean): number | null {
  try {
    return stored ? openUnlinked(path) : openSync(path, O_PATH);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Binds the calling thread, and all that it forks and executes, for ever. Needs no new privileges first. Closes `ruleset`. */
export function restrictSelf(ruleset: number): void {
  try {
    call('landlock_restrict_self', [ruleset, 0]);
  } finally {
    closeSync(ruleset);
  }
}
