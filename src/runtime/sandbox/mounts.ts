/**
 * The file tree of a sandbox: an empty root of memory, on which only what the plan names is mounted, read-only unless it
 * says otherwise; the old root is then let go, so that no path leads back. Called in a mount namespace of its own.
 */
import {
  chownSync,
  closeSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { call, type NativeError } from '../native/native.ts';
import { isWithin, type FileTree, type SandboxPlan } from './plan.ts';
import { O_PATH, openUnlinked } from './unlinked.ts';
import { DEVICES, MASK_FILE, PRIVATE_FOLDERS, SYSTEM_FILES, SYSTEM_FOLDERS } from './system-files.ts';

const MS_RDONLY = 1;
const MS_NOSUID = 2;
const MS_NODEV = 4;
const MS_NOEXEC = 8;
const MS_REMOUNT = 32;
const MS_BIND = 4096;
const MS_REC = 16384;
const MS_PRIVATE = 1 << 18;
const MS_SLAVE = 1 << 19;
const MNT_DETACH = 2;
const AT_FDCWD = -100;
const AT_RECURSIVE = 0x8000;
const MOUNT_ATTR_RDONLY = 1;
const MOUNT_ATTR_NOSUID = 2;
const MOUNT_ATTR_NODEV = 4;
const MOUNT_ATTR_IDMAP = 0x0010_0000;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const AT_EMPTY_PATH = 0x1000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const S_IFCHR = 0o020000;

/** The root itself holds folders, links and a few small files. */
const ROOT_OPTIONS = 'size=4m,nr_inodes=4096,mode=755';
const HIDING_OPTIONS = 'size=64k,nr_inodes=256,mode=755';
/** One inode for every 4 KB, so that empty files are bounded as well. */
const BYTES_PER_INODE = 4096;

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What every component's tree has. `mayMakeDevices`: the host's root may, others mount the host's. */
export function beginTree(root: string, mayMakeDevices: boolean): void {
  // Modes are meant as they are written, here and in `finishTree`.
  process.umask(0);
  // What is mounted here stays here. What the host unmounts goes here too: a process that waits must not keep a disk busy.
  mount(null, '/', null, MS_REC | MS_SLAVE);
  mount('tmpfs', root, 'tmpfs', MS_NOSUID, ROOT_OPTIONS);
  for (const path of SYSTEM_FOLDERS) systemFolder(root, path);
  for (const path of PRIVATE_FOLDERS) keepPrivate(root, path);
  systemFiles(root);
  devices(root, mayMakeDevices);
  folder(`${root}/proc`);
  // Only processes of this namespace, and of these only those that one may trace: a zygote that leaves no traces is unseen.
  mount('proc', `${root}/proc`, 'proc', MS_NOSUID | MS_NODEV | MS_NOEXEC, 'hidepid=2');
}

/** What is the component's own, and the change to the tree. `owner` is who it will be, `user` what it will call itself. */
export function finishTree(plan: SandboxPlan, root: string, owner: Owner, user: Owner): void {
  const { tree } = plan;
  // From now on nothing of the host's mounts comes in.
  mount(null, '/', null, MS_REC | MS_PRIVATE);
  identity(root, plan, user);
  folder(`${root}/tmp`);
  const inodes = Math.ceil(tree.tmpBytes / BYTES_PER_INODE);
  const options = `size=${tree.tmpBytes},nr_inodes=${inodes},mode=700`;
  mount('tmpfs', `${root}/tmp`, 'tmpfs', MS_NOSUID | MS_NODEV, options);
  chownSync(`${root}/tmp`, owner.uid, owner.gid);
  const owners = tree.owned.map(({ namespace, paths }) => ({ opened: openSync(namespace, 'r'), paths }));
  const own = (path: string): number => owners.find(({ paths }) => paths.includes(path))?.opened ?? -1;
  for (const path of tree.readable) bind(root, path, 'read', own(path));
  for (const path of tree.hidden) hide(root, path, tree);
  for (const path of tree.uncovered) bind(root, path, 'read', own(path));
  for (const path of tree.hidden) seal(root, path, tree);
  for (const path of tree.writable) bindStored(root, path, own(path));
  for (const path of tree.sockets) bind(root, path, 'write', -1);
  for (const { opened } of owners) closeSync(opened);
  // To the host's root, capabilities or not, the kernel's settings are files that it owns.
  if (owner.uid === 0) readOnlySettings(root);
  // No further folder or link can be made in the root.
  mount(null, root, null, MS_REMOUNT | MS_RDONLY | MS_NOSUID, ROOT_OPTIONS);
  process.chdir(root);
  call('pivot_root', ['.', '.']);
  call('umount2', ['.', MNT_DETACH], 'the old root');
  process.chdir('/');
  process.umask(0o022);
}

/**
 * Mounts `path` at its own place below `root`, with everything that is mounted below it.
 * @param namespace a user namespace by which the owners of its files are mapped; -1: they are who they are.
 */
function bind(root: string, path: string, access: 'read' | 'write', namespace = -1): void {
  const target = `${root}${path}`;
  const info = statSync(path);
  if (info.isDirectory()) folder(target);
  else file(target);
  const attributes = (access === 'read' ? MOUNT_ATTR_RDONLY : 0) | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  if (namespace >= 0) {
    const opened = openSync(path, O_PATH);
    const tree = mountable(opened, path, attributes, namespace);
    closeSync(opened);
    attach(tree, target);
  } else {
    mount(path, target, null, MS_BIND | MS_REC);
    restrict(target, attributes);
  }
}

/**
 * The same for what components write, who may have swapped a folder for a link since `path` was found: what is mounted is what was
 * opened, and no link led there.
 */
function bindStored(root: string, path: string, namespace: number): void {
  const opened = openUnlinked(path);
  try {
    const target = `${root}${path}`;
    if (fstatSync(opened).isDirectory()) folder(target);
    else file(target);
    attach(mountable(opened, path, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, namespace), target);
  } finally {
    closeSync(opened);
  }
}

function attach(tree: number, target: string): void {
  call('move_mount', [tree, '', AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH], target);
  closeSync(tree);
}

/**
 * What `opened` is as a mount that is nowhere yet: a descriptor. Its owners are mapped by the user namespace `namespace`; -1: they are
 * who they are. Throws {@link NativeError} where a file system in it does not allow that.
 */
export function mountable(opened: number, path: string, attributes: number, namespace: number): number {
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH;
  const tree = call('open_tree', [opened, '', flags], path);
  const mapped = namespace >= 0;
  const attr = Buffer.alloc(32);
  attr.writeBigUInt64LE(BigInt(attributes | (mapped ? MOUNT_ATTR_IDMAP : 0)), 0);
  if (mapped) attr.writeBigUInt64LE(BigInt(namespace), 24);
  try {
    call('mount_setattr', [tree, '', AT_EMPTY_PATH | AT_RECURSIVE, attr, attr.length], path);
  } catch (error) {
    closeSync(tree);
    throw error;
  }
  return tree;
}

function readOnlySettings(root: string): void {
  const target = `${root}/proc/sys`;
  mount(target, target, null, MS_BIND);
  restrict(target, MOUNT_ATTR_RDONLY);
}

function restrict(target: string, attributes: number): void {
  // struct mount_attr: what to set, what to clear, propagation, a user namespace.
  const attr = Buffer.alloc(32);
  attr.writeBigUInt64LE(BigInt(attributes), 0);
  call('mount_setattr', [AT_FDCWD, target, AT_RECURSIVE, attr, attr.length], target);
}

function systemFolder(root: string, path: string): void {
  const info = lstatSync(path, { throwIfNoEntry: false });
  if (info === undefined) return;
  if (info.isSymbolicLink()) symlinkSync(readlinkSync(path), `${root}${path}`);
  else bind(root, path, 'read');
}

function keepPrivate(root: string, path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  const flags = MS_RDONLY | MS_NOSUID | MS_NODEV;
  mount('tmpfs', `${root}${path}`, 'tmpfs', flags, HIDING_OPTIONS);
}

function systemFiles(root: string): void {
  folder(`${root}/etc`);
  for (const path of SYSTEM_FILES) {
    const info = lstatSync(path, { throwIfNoEntry: false });
    if (info === undefined) continue;
    const link = info.isSymbolicLink() ? readlinkSync(path) : null;
    if (link?.startsWith('/usr/') === true) symlinkSync(link, `${root}${path}`);
    else copy(path, `${root}${path}`);
  }
}

/** A link out of the tree, such as systemd's resolv.conf, is copied as what it leads to; it may lead nowhere. */
function copy(path: string, target: string): void {
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch {
    return;
  }
  writeFileSync(target, content, { mode: 0o644 });
}

/** What programs ask about the machine and themselves. */
function identity(root: string, plan: SandboxPlan, { uid, gid }: Owner): void {
  const name = plan.hostname ?? plan.component;
  writeFileSync(`${root}/etc/hostname`, `${name}\n`, { mode: 0o644 });
  writeFileSync(`${root}/etc/hosts`, `\n127.0.0.1 ${name}\n`, { flag: 'a', mode: 0o644 });
  const passwd = `component:x:${uid}:${gid}:${plan.component}:/tmp:/bin/sh\n`;
  writeFileSync(`${root}/etc/passwd`, passwd, { mode: 0o644 });
  writeFileSync(`${root}/etc/group`, `component:x:${gid}:\n`, { mode: 0o644 });
}

function devices(root: string, mayMake: boolean): void {
  folder(`${root}/dev`);
  for (const { name, major, minor } of DEVICES) {
    const target = `${root}/dev/${name}`;
    if (!mayMake || !made(target, (major << 8) | minor)) {
      file(target);
      mount(`/dev/${name}`, target, null, MS_BIND);
      restrict(target, MOUNT_ATTR_NOSUID);
    }
  }
  symlinkSync('/proc/self/fd', `${root}/dev/fd`);
  symlinkSync('/proc/self/fd/0', `${root}/dev/stdin`);
  symlinkSync('/proc/self/fd/1', `${root}/dev/stdout`);
  symlinkSync('/proc/self/fd/2', `${root}/dev/stderr`);
  symlinkSync('/tmp', `${root}/dev/shm`);
}

/** Whether the device could be made: the root of a container that has a user namespace may mount, and make none. */
function made(target: string, device: number): boolean {
  try {
    call('mknodat', [AT_FDCWD, target, S_IFCHR | 0o666, device], target);
    return true;
  } catch (error) {
    if ((error as NativeError).code !== 'EPERM') throw error;
    return false;
  }
}

/** Lays something empty over `path`, where the tree shows it. */
function hide(root: string, path: string, tree: FileTree): void {
  if (!tree.readable.some((outer) => isWithin(path, outer))) return;
  const info = statSync(path, { throwIfNoEntry: false });
  if (info === undefined) return;
  if (info.isDirectory()) {
    mount('tmpfs', `${root}${path}`, 'tmpfs', MS_NOSUID | MS_NODEV, HIDING_OPTIONS);
    return;
  }
  const empty = `${root}${MASK_FILE}`;
  file(empty);
  mount(empty, `${root}${path}`, null, MS_BIND);
  restrict(`${root}${path}`, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/** What hides a folder takes no more in, once what is seen in it all the same is there. */
function seal(root: string, path: string, tree: FileTree): void {
  if (!tree.readable.some((outer) => isWithin(path, outer))) return;
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  const flags = MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV;
  mount(null, `${root}${path}`, null, flags, HIDING_OPTIONS);
}

function folder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o755 });
}

function file(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return;
  folder(dirname(path));
  writeFileSync(path, '', { mode: 0o444 });
}

function mount(
  source: string | null,
  target: string,
  type: string | null,
  flags: number,
  options: string | null = null,
): void {
  call('mount', [source, target, type, flags, options], target);
}
