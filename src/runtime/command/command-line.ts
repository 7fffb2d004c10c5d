/** What a shell itself reads: words that begin a compound command, and builtins that `exec` cannot run. */
const SHELL_WORDS = new Set(
  (
    '! { } case do done elif else esac fi for function if in then until while select time [[ ' +
    '. : alias bg break builtin cd command continue eval exec exit export fg getopts hash jobs local read readonly ' +
    'return set shift source times trap type typeset ulimit umask unalias unset wait'
  ).split(' '),
);

/**
 * `command` for `/bin/sh -c`, so that SIGTERM reaches the program and its end is waited for. A single program replaces
 * the shell by `exec`. In front of anything else (`cd app && node server.js`) the shell is told to outlive the signal,
 * which its children get too, until the one it waits for has ended; by itself it would die first, and its end be
 * taken for the program's.
 */
export function shellLine(command: string): string {
  return isSingleProgram(command) ? `exec ${command.trimStart()}` : `trap 'exit 143' TERM; ${command}`;
}

/** Whether it is one program with arguments and redirections. False where in doubt. */
function isSingleProgram(command: string): boolean {
  const bare = withoutQuoted(command.trim());
  if (bare === null || /[;|()`\n#]/.test(bare)) return false;
  // `2>&1` and `<&3` redirect; any other ampersand ends a command.
  if (/&/.test(bare.replace(/[<>]&/g, ''))) return false;
  const first = /^[^\s<>]*/.exec(bare)![0];
  return first !== '' && !first.includes('=') && !SHELL_WORDS.has(first);
}

/** `text` with what is quoted or escaped as underscores; null where a quote is not closed. */
function withoutQuoted(text: string): string | null {
  const bare = text.replace(/\\[\s\S]|'[^']*'|"(?:\\[\s\S]|[^"\\])*"/g, '_');
  return /['"\\]/.test(bare) ? null : bare;
}
