import type { LayerName } from '../../../src/runtime/sandbox/layers.ts';

/** Where the hostile code stands, and what it is told of its surroundings: as much as an insider could know. */
export interface World {
  readonly kind: 'function' | 'program';
  readonly network: 'none' | 'full';
  readonly serverPid: number;
  /** A zygote of another component, as the host counts; 0 where there is none. */
  readonly otherPid: number;
  /** An instance of the same component, as the component counts; 0 where there is none. */
  readonly siblingPid: number;
  /** Sockets that it is given: its wire, in the fork engine. */
  readonly wires: number;
  readonly ownBundle: string;
  readonly otherBundle: string;
  readonly hiddenFile: string;
  readonly outsideFile: string;
  readonly runtimeFile: string;
  readonly ownFolder: string;
  readonly storage: string;
  readonly siblingFolder: string;
  readonly wireSocket: string;
  readonly controlSocket: string;
  readonly adminPort: number;
  readonly abstractName: string;
  /** A secret that stands in the server's environment, in disguise, so that whoever looks for it does not find the question. */
  readonly maskedSecret: readonly number[];
  readonly tmpBytes: number;
  readonly setuidProgram: string;
}

export interface Attempt {
  readonly name: string;
  /** In what it may end: an error's code, or a word that it gives back. */
  readonly refused: readonly string[];
  /** Left out elsewhere. */
  readonly kind?: World['kind'];
  /** Left out where the machine or the user cannot have this layer: nothing else stands in the way. */
  readonly needs?: LayerName;
  /** x86-64 has this call, and arm64 has not. */
  readonly x64Only?: boolean;
  /**
   * What it comes to without a sandbox, as the same user: the proof that it is the sandbox that refuses. Only where trying is
   * harmless.
   */
  readonly outside?: string;
  readonly run: (world: World) => string | Promise<string>;
}

const MASK = 0x5a;

export function mask(secret: string): number[] {
  return [...Buffer.from(secret)].map(unmask);
}

export function unmask(byte: number): number {
  return byte ^ MASK;
}

/** What came of an attempt: the word that it gave back, or the code of what it threw. */
export async function outcomeOf(attempt: Attempt, world: World): Promise<string> {
  try {
    return await attempt.run(world);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code ?? message;
  }
}
