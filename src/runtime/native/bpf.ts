/**
 * An assembler for seccomp's filters (classic BPF over `struct seccomp_data`), as far as filters here need one. A program
 * is a list of steps; labels stand for the distances that the kernel wants, and a jump goes forward only.
 * See Linux, Documentation/userspace-api/seccomp_filter.rst and include/uapi/linux/{filter,seccomp}.h.
 */
export type Step =
  /** Loads 32 bits of the call's data: its number, the architecture, or half of an argument. */
  | { readonly do: 'load'; readonly offset: number }
  | { readonly do: 'and'; readonly mask: number }
  | {
      readonly do: 'jump';
      readonly when: 'equal' | 'atLeast' | 'above' | 'anyBit';
      readonly value: number;
      /** Where it goes on; the next step where it is absent. */
      readonly to?: string;
      readonly otherwise?: string;
    }
  | { readonly do: 'label'; readonly name: string }
  | { readonly do: 'answer'; readonly action: number };

/** Offsets in `struct seccomp_data` (little-endian on both architectures). */
export const DATA = {
  number: 0,
  arch: 4,
  /** The lower half of the argument `index`, which is all of an int. */
  argument: (index: number): number => 16 + 8 * index,
} as const;

export const ANSWER = {
  allow: 0x7fff0000,
  killProcess: 0x80000000,
  error: (errno: number): number => 0x00050000 | errno,
} as const;

export const AUDIT_ARCH = { x64: 0xc000003e, arm64: 0xc00000b7 } as const;

const LOAD_ABSOLUTE = 0x20;
const AND_CONSTANT = 0x54;
const RETURN_CONSTANT = 0x06;
const JUMPS = { equal: 0x15, above: 0x25, atLeast: 0x35, anyBit: 0x45 } as const;
const MAX_INSTRUCTIONS = 4096;
const MAX_DISTANCE = 255;
const INSTRUCTION_BYTES = 8;

/** The program's instructions, 8 bytes each. Throws where a label is missing, lies behind its jump or is more than 255 steps away. */
export function assemble(steps: readonly Step[]): Buffer {
  const places = new Map<string, number>();
  const real: Exclude<Step, { do: 'label' }>[] = [];
  for (const step of steps) {
    if (step.do === 'label') places.set(step.name, real.length);
    else real.push(step);
  }
  if (real.length > MAX_INSTRUCTIONS) throw new RangeError(`A filter of ${real.length} steps is too long.`);
  const code = Buffer.alloc(real.length * INSTRUCTION_BYTES);
  const distance = (from: number, label: string | undefined): number => {
    if (label === undefined) return 0;
    const to = places.get(label);
    const steps = to === undefined ? -1 : to - from - 1;
    if (steps < 0 || steps > MAX_DISTANCE)
      throw new RangeError(`The filter's label ${label} cannot be reached.`);
    return steps;
  };
  for (const [index, step] of real.entries()) {
    const at = index * INSTRUCTION_BYTES;
    const write = (operation: number, operand: number, to = 0, otherwise = 0): void => {
      code.writeUInt16LE(operation, at);
      code.writeUInt8(to, at + 2);
      code.writeUInt8(otherwise, at + 3);
      code.writeUInt32LE(operand >>> 0, at + 4);
    };
    switch (step.do) {
      case 'load':
        write(LOAD_ABSOLUTE, step.offset);
        break;
      case 'and':
        write(AND_CONSTANT, step.mask);
        break;
      case 'answer':
        write(RETURN_CONSTANT, step.action);
        break;
      case 'jump':
        write(JUMPS[step.when], step.value, distance(index, step.to), distance(index, step.otherwise));
        break;
    }
  }
  return code;
}
