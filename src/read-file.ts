import type { FileSystem } from './environment/environment.ts';

/** A file that somebody else wrote, as a whole. Rejects as `FileSystem` does. */
export async function readFile(files: FileSystem, path: string): Promise<Buffer> {
  const file = await files.open(path, 'read');
  try {
    const bytes = Buffer.alloc(await file.size());
    await file.read(bytes, 0);
    return bytes;
  } finally {
    await file.close();
  }
}
