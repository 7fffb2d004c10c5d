import { existsSync } from 'node:fs';

/** Why this machine and this Node cannot fork instances; null where they can. Starts nothing. */
export async function forkEngineMissing(): Promise<string | null> {
  if (process.platform !== 'linux') return `the fork engine needs Linux, and this is ${process.platform}`;
  if (process.arch !== 'x64' && process.arch !== 'arm64')
    return `the fork engine needs x64 or arm64, and this is ${process.arch}`;
  if (!existsSync('/proc/self/task')) return 'the fork engine needs /proc, which is not mounted here';
  try {
    const { tryCall } = await import('../native/native.ts');
    // SECCOMP_GET_ACTION_AVAIL for an answer with an error number, without which V8's memory is lost to a fork.
    const action = Buffer.alloc(4);
    action.writeUInt32LE(0x00050000);
    return tryCall('seccomp', [2, 0, action]) === 0
      ? null
      : 'the fork engine needs seccomp filters, which this kernel refuses';
  } catch {
    return `this Node (${process.version}) cannot call foreign functions (node:ffi)`;
  }
}
