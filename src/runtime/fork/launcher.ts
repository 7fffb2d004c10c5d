/**
 * Becomes a Node that can be forked: `launcher.ts PROGRAM FLAG…`. What V8 and libuv need told before they start is told here,
 * by a filter that outlives the execution of another program.
 */
import { keepOnlyOnExec } from '../native/descriptors.ts';
import { endWithParent, parentPid } from '../native/process-control.ts';
import { forbidNewPrivileges, forkableNode, installFilter } from '../native/seccomp.ts';

/** Where the root zygote finds its control socket. */
const CONTROL = 3;

const [program, serverPid, ...flags] = process.argv.slice(2) as [string, string, ...string[]];
endWithParent();
if (parentPid() !== Number(serverPid)) process.exit(1);
keepOnlyOnExec(CONTROL);
forbidNewPrivileges();
installFilter(forkableNode());
process.execve!(process.execPath, [process.execPath, ...flags, program], { ...process.env });
