// Builds the console into console/dist when what is there was not built from these sources; `--clean` takes away all that is there
// before. Plain JavaScript for any Node >= 20: scripts/setup.mjs asks it whether there is something to do.
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const sources = join(root, 'console');
const built = join(sources, 'dist');
const stampFile = join(built, '.sources');

/** Pages that are open go on asking for the files of the build before. */
const KEEP_OLD_MS = 15 * 60_000;

export function isConsoleBuilt() {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === sourcesHash();
}

function sourcesHash() {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  for (const name of readdirSync(sources, { recursive: true }).map(String).sort()) {
    const file = join(sources, name);
    if (name === 'dist' || name.startsWith(`dist/`) || name.startsWith('dist\\') || /\.test\.tsx?$/.test(name))
      continue;
    if (statSync(file).isFile()) hash.update(`${name}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

/** Several may build at once, and a broker may serve the directory meanwhile: files come before the page that names them. */
export async function buildConsole() {
  const hash = sourcesHash();
  const { build } = await import('vite');
  const outDir = join(sources, 'dist', `.build-${randomUUID()}`);
  try {
    await build({
      configFile: join(sources, 'vite.config.ts'),
      logLevel: 'warn',
      build: { outDir, emptyOutDir: true },
    });
    const made = readdirSync(outDir, { recursive: true })
      .map(String)
      .filter((name) => statSync(join(outDir, name)).isFile());
    const pages = made.filter((name) => name.startsWith('index.html'));
    for (const name of [...made.filter((each) => !pages.includes(each)), ...pages]) {
      mkdirSync(dirname(join(built, name)), { recursive: true });
      renameSync(join(outDir, name), join(built, name));
    }
    for (const name of readdirSync(join(built, 'assets'))) {
      const file = join(built, 'assets', name);
      const old = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) > KEEP_OLD_MS;
      if (old && !made.includes(join('assets', name))) rmSync(file, { force: true });
    }
    writeFileSync(stampFile, hash);
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--clean')) rmSync(built, { recursive: true, force: true });
  if (!isConsoleBuilt()) await buildConsole();
}
