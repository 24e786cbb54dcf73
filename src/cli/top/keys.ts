/** Keys that are no characters. */
const SEQUENCES: Readonly<Record<string, string>> = {
  '\x1b[A': 'up',
  '\x1b[B': 'down',
  '\x1b[C': 'right',
  '\x1b[D': 'left',
  '\x1bOA': 'up',
  '\x1bOB': 'down',
  '\x1bOC': 'right',
  '\x1bOD': 'left',
  '\x1b[5~': 'page-up',
  '\x1b[6~': 'page-down',
  '\x1b[H': 'home',
  '\x1b[1~': 'home',
  '\x1b[F': 'end',
  '\x1b[4~': 'end',
  '\x1b[Z': 'shift-tab',
  '\x1b': 'escape',
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\b': 'backspace',
  '\x03': 'ctrl-c',
  '\x0c': 'ctrl-l',
  '\x1a': 'ctrl-z',
};

/** What was pressed: names of keys, and characters as they are. Sequences that are not known are left out. */
export function keysIn(text: string): string[] {
  // An escape with what belongs to it, or one character.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what terminals send.
  const parts = text.match(/\x1b\[[0-9;]*[ -/]*[@-~]|\x1bO.|./gsu) ?? [];
  return parts.flatMap((part) => {
    const name = SEQUENCES[part];
    if (name !== undefined) return [name];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the others mean nothing here.
    return /^[\x00-\x1f]/.test(part) ? [] : [part];
  });
}
