/** Becomes a Node that can be forked, and runs what its arguments name. */
import { forbidNewPrivileges, forkableNode, installFilter } from '../../../src/runtime/native/seccomp.ts';

forbidNewPrivileges();
installFilter(forkableNode());
const flags = ['--single-threaded', '--v8-pool-size=0', '--disable-warning=ExperimentalWarning'];
// Whatever environment this one has, instances can read the one that is given here.
process.execve!(process.execPath, [process.execPath, ...flags, ...process.argv.slice(2)], {
  PATH: '/usr/bin:/bin',
});
