/**
 * Mounts in which files of one owner belong to a component's user (mapped ids): it then reads what only their owner may, and
 * what it writes is the owner's outside. That needs root, a user namespace for each pair, and a file system that allows it.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { FulcrumError } from '../../base/errors.ts';
import type { Owner } from './mounts.ts';
import { O_PATH } from './unlinked.ts';

/**
 * A user namespace in which `owner` is the user `uid` outside, as a descriptor of this process: it holds the namespace, which
 * has no process. Rejects with `internal` where none can be made.
 */
export async function mappedNamespace(owner: Owner, uid: number): Promise<number> {
  // Node has several threads and cannot enter one itself. What this one runs says by an echo that it is there.
  const holder = spawn('unshare', ['--user', 'cat'], { stdio: ['pipe', 'pipe', 'ignore'], cwd: '/' });
  const { promise: there, resolve, reject } = Promise.withResolvers<void>();
  const why = (reason: string): FulcrumError =>
    new FulcrumError('internal', `no user namespace could be made by unshare(1): ${reason}`);
  const ended = new Promise<void>((done) => {
    holder.once('error', (error) => {
      reject(why(error.message));
      done();
    });
    holder.once('exit', (code) => {
      reject(why(`it ended with ${code}`));
      done();
    });
  });
  holder.stdin.on('error', () => undefined);
  holder.stdout.once('data', () => resolve());
  holder.stdin.write('\n');
  try {
    await there;
    const folder = `/proc/${holder.pid}`;
    writeFileSync(`${folder}/uid_map`, `${owner.uid} ${uid} 1`);
    writeFileSync(`${folder}/gid_map`, `${owner.gid} ${uid} 1`);
    return openSync(`${folder}/ns/user`, 'r');
  } finally {
    holder.stdin.end();
    await ended;
  }
}

/** Whether what lies at `path` can be mounted by `namespace`: tried, and nothing stays of it. */
export async function canBeOwned(path: string, namespace: number): Promise<boolean> {
  // Not before it is known that there are foreign functions: nobody else asks.
  const { mountable } = await import('./mounts.ts');
  let opened = -1;
  try {
    opened = openSync(path, O_PATH);
    closeSync(mountable(opened, path, 0, namespace));
    return true;
  } catch {
    return false;
  } finally {
    if (opened >= 0) closeSync(opened);
  }
}
