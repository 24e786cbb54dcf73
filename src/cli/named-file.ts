// biome-ignore lint/style/noRestrictedImports: what the user names may be a pipe (--password-file <(...)), which is none of a broker's files.
import { readFile, writeFile } from 'node:fs/promises';
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

/** Writes a file that nobody else can read. One that is there is overwritten by `force` only. */
export async function writeNamed(file: string, content: string | Uint8Array, force: boolean): Promise<void> {
  try {
    await writeFile(file, content, { flag: force ? 'w' : 'wx', mode: 0o600 });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why: Readonly<Record<string, string>> = {
      EEXIST: 'it is there; --force overwrites it',
      ENOENT: 'there is no such directory',
    };
    throw new UsageError(`cannot write ${file}: ${why[code ?? ''] ?? code ?? message}`);
  }
}
