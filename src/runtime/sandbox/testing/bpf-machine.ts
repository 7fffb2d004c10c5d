import { getSystemErrorName } from 'node:util';

/** A system call as a filter sees it. Arguments up to 53 bits. */
export interface Call {
  readonly number: number;
  readonly arch: number;
  readonly args: readonly number[];
}

const MAX_STEPS = 4096;

/** Runs a seccomp filter on `call`, as the kernel would: `allow`, `kill`, or the name of the error that it answers. */
export function answerOf(program: Buffer, call: Call): string {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number, 0);
  data.writeUInt32LE(call.arch, 4);
  for (const [index, value] of call.args.entries()) data.writeBigUInt64LE(BigInt(value), 16 + 8 * index);
  let accumulator = 0;
  let at = 0;
  for (let steps = 0; steps < MAX_STEPS; steps++) {
    const operation = program.readUInt16LE(at * 8);
    const onTrue = program.readUInt8(at * 8 + 2);
    const onFalse = program.readUInt8(at * 8 + 3);
    const operand = program.readUInt32LE(at * 8 + 4);
    const jump = (holds: boolean): number => at + 1 + (holds ? onTrue : onFalse);
    switch (operation) {
      case 0x20:
        accumulator = data.readUInt32LE(operand);
        at++;
        break;
      case 0x54:
        accumulator = (accumulator & operand) >>> 0;
        at++;
        break;
      case 0x15:
        at = jump(accumulator === operand);
        break;
      case 0x25:
        at = jump(accumulator > operand);
        break;
      case 0x35:
        at = jump(accumulator >= operand);
        break;
      case 0x45:
        at = jump((accumulator & operand) !== 0);
        break;
      case 0x06:
        return nameOf(operand);
      default:
        throw new Error(`operation ${operation.toString(16)} at ${at}`);
    }
  }
  throw new Error('the filter does not end');
}

function nameOf(action: number): string {
  if (action === 0x7fff_0000) return 'allow';
  if (action === 0x8000_0000) return 'kill';
  return getSystemErrorName(-(action & 0xffff));
}
