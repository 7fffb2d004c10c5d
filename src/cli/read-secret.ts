import { FulcrumError } from '../base/errors.ts';
import { EXIT } from './exit-codes.ts';

const MAX_BYTES = 64 * 1024;

/**
 * A secret's value: asked for without showing it where there is a terminal, else all of standard input, without the line break that a
 * shell or an editor puts at its end. Rejects with `usage`.
 */
export async function readSecret(name: string, input: NodeJS.ReadStream = process.stdin): Promise<string> {
  const value = input.isTTY ? await prompt(name) : await readAll(input);
  if (value === '') throw new FulcrumError('usage', `${name} was given no value: standard input was empty.`);
  return value;
}

async function prompt(name: string): Promise<string> {
  const { password, isCancel } = await import('@clack/prompts');
  // On stderr, so that what the command prints can be piped.
  const answer = await password({ message: `Value of ${name}`, mask: '•', output: process.stderr });
  if (isCancel(answer)) process.exit(EXIT.interrupted);
  return answer ?? '';
}

async function readAll(input: NodeJS.ReadStream): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of input) {
    pieces.push(piece as Buffer);
    bytes += (piece as Buffer).length;
    if (bytes > MAX_BYTES + 2) throw new FulcrumError('usage', 'A secret has at most 64 KB.');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
      .decode(Buffer.concat(pieces))
      .replace(/\r?\n$/, '');
  } catch {
    throw new FulcrumError(
      'usage',
      'Standard input is not UTF-8 text. Encode binary data, in base64 for instance.',
    );
  }
}
