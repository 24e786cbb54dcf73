import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';

const MODULE = new URL('./stop-signal.ts', import.meta.url).href;
const ENVIRONMENT = new URL('../environment/real.ts', import.meta.url).href;

/** A process that says which signal stops it, and then does not get done with stopping. */
async function stuckProcess() {
  const script = `
    const { stopSignal } = await import(${JSON.stringify(MODULE)});
    const { realEnvironment } = await import(${JSON.stringify(ENVIRONMENT)});
    const stop = stopSignal(realEnvironment().clock);
    setInterval(() => {}, 1000);
    console.log('ready');
    console.log(await stop);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stdout.setEncoding('utf8');
  const [ready] = await once(child.stdout, 'data');
  expect(ready).toBe('ready\n');
  return child;
}

test('the first signal asks to stop, a later one ends the process at once with code 1', async () => {
  const child = await stuckProcess();
  child.kill('SIGTERM');
  expect(await once(child.stdout, 'data')).toEqual(['SIGTERM\n']);
  // Until one is late enough to be taken for another signal.
  const again = setInterval(() => child.kill('SIGINT'), 20);
  onTestFinished(() => clearInterval(again));
  expect(await once(child, 'exit')).toEqual([1, null]);
});

test('a signal that comes twice at once is one', async () => {
  const child = await stuckProcess();
  child.kill('SIGINT');
  child.kill('SIGINT');
  expect(await once(child.stdout, 'data')).toEqual(['SIGINT\n']);
  expect(child.exitCode).toBeNull();
});
