import { expect, test } from 'vitest';
import { verifyPassword } from '../../src/broker/index.ts';
import { sluice } from './sluice.ts';

test('a password becomes the hash that definitions have', async () => {
  const { code, stdout } = await sluice(['hash-password'], { stdin: 'geheim ü\nsecond line\n' });
  expect(code).toBe(0);
  expect(verifyPassword({ algorithm: 'rabbit_password_hashing_sha256', hash: stdout.trim() }, 'geheim ü')).toBe(true);
  const other = await sluice(['hash-password', '--algorithm', 'sha512'], { stdin: 'secret' });
  expect(verifyPassword({ algorithm: 'rabbit_password_hashing_sha512', hash: other.stdout.trim() }, 'secret')).toBe(
    true,
  );
});

test('nothing is no password, and an algorithm has to be known', async () => {
  expect(await sluice(['hash-password'])).toMatchObject({ code: 2, stdout: '' });
  expect(await sluice(['hash-password', '--algorithm', 'md5'], { stdin: 'x' })).toMatchObject({ code: 2, stdout: '' });
});
