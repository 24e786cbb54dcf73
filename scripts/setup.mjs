// Prepares a bare checkout: installs the dependencies when they are missing or not those of the lock file, and makes
// sure that the pinned Node runs; builds the console when its sources have changed. Plain JavaScript for any Node >= 20, for it runs before anything is installed.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
const stampFile = join(modules, '.sluice-setup');
const pinnedNode = join(modules, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
const shell = process.platform === 'win32';

const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
const installed = existsSync(stampFile) && readFileSync(stampFile, 'utf8') === lock;

if (!installed && !isWhatIsLocked()) {
  process.stderr.write(
    `sluice: installing dependencies (${existsSync(modules) ? 'they are not those of the lock file' : 'first run'})\n`,
  );
  // Not `npm_config_*` of the outer npm run: they would change what is installed (for one, --omit or --workspace).
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_config_(omit|include|production)$/i.test(name)),
  );
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell,
    env: { ...env, NODE_ENV: 'development' },
  });
  if (status !== 0) fail('npm ci failed; see above');
}

/** Whether somebody's own `npm ci` put here what the lock file says: npm writes down what it installed. */
function isWhatIsLocked() {
  try {
    const packages = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;
    const there = packages(join(modules, '.package-lock.json'));
    return Object.entries(packages(join(root, 'package-lock.json'))).every(
      ([path, { version, optional }]) =>
        path === '' || (there[path] === undefined ? optional === true : there[path].version === version),
    );
  } catch {
    return false;
  }
}

function pinnedVersion() {
  const { status, stdout } = spawnSync(pinnedNode, ['--version'], { encoding: 'utf8', shell });
  return status === 0 ? stdout.trim() : '';
}

const wanted = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies.node.match(/\d+/)[0];
if (!installed || !existsSync(pinnedNode)) {
  if (!pinnedVersion().startsWith(`v${wanted}.`)) {
    // The npm package `node` brings its binary by an install script; where npm did not run it, run it now.
    const script = join(modules, 'node', 'installArchSpecificPackage.js');
    if (existsSync(script))
      execFileSync(process.execPath, [script], { cwd: dirname(script), stdio: ['ignore', 'ignore', 'inherit'] });
  }
  const version = pinnedVersion();
  if (!version.startsWith(`v${wanted}.`))
    fail(`the pinned Node ${wanted} does not run here (found ${version || 'none'}); remove node_modules and try again`);
  writeFileSync(stampFile, lock);
}

const { isConsoleBuilt } = await import('./console.mjs');
if (!isConsoleBuilt()) {
  const { status } = spawnSync(pinnedNode, [join(root, 'scripts', 'console.mjs')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    shell,
  });
  // The broker works without: its page says how to build the console.
  if (status !== 0) process.stderr.write('sluice: the console could not be built; see above\n');
}

function fail(why) {
  process.stderr.write(`sluice: set-up failed: ${why}\n`);
  process.exit(1);
}
