// biome-ignore lint/style/noRestrictedImports: what the user names may be a pipe (--password-file <(...)), which is none of a broker's files.
import { readFile } from 'node:fs/promises';
import { UsageError } from './usage-error.ts';

/** What is in a file that an option names. */
export async function readNamed(option: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `cannot read ${file}: ${code === 'ENOENT' ? 'there is no such file' : (code ?? message)}; it was given to ${option}`,
    );
  }
}
