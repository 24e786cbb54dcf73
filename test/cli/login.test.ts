import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeCertificate } from '../../scripts/suites/certificate.ts';
import { SluiceProcess, sluice, temporaryDirectory } from './sluice.ts';

const PASSWORD = 'annas ßecret, = really';

/** A broker of its own process that lets nobody in without a login; over TLS when there is a certificate. */
async function start(directory: string, certificate?: { readonly cert: string; readonly key: string }, env = {}) {
  const definitions = join(directory, 'definitions.json');
  await writeFile(definitions, JSON.stringify({ users: [{ name: 'anna, = b', password: PASSWORD, tags: [] }] }));
  const listen = `kafka${certificate ? '+tls' : ''}://127.0.0.1:0`;
  const settings = {
    ...{ SLUICE_KAFKA_SASL: 'required', SLUICE_DEFINITIONS: definitions },
    ...(certificate && { SLUICE_TLS_CERT: certificate.cert, SLUICE_TLS_KEY: certificate.key }),
  };
  const broker = new SluiceProcess(['start', '--listen', listen, '--storage', 'memory'], {
    env: { ...settings, ...env },
  });
  const [, port] = await broker.says(/^sluice ready kafka\S*:\/\/127\.0\.0\.1:(\d+)/m);
  return `127.0.0.1:${port}`;
}

const withPassword = (password: string) => ({ env: { SLUICE_CLIENT_PASSWORD: password } });

describe('a command against a broker that wants a login', () => {
  it.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('logs in by %s', async (mechanism) => {
    const broker = await start(await temporaryDirectory());
    const login = ['--broker', broker, '--user', 'anna, = b', '--sasl-mechanism', mechanism];
    const right = withPassword(PASSWORD);
    expect(await sluice(['topic', 'create', 'orders', ...login], right)).toMatchObject({ code: 0, stderr: '' });
    expect(await sluice(['produce', 'orders', ...login], { ...right, stdin: 'hello\n' })).toMatchObject({ code: 0 });
    const read = await sluice(['consume', 'orders', '--from', 'earliest', '--exit', ...login], right);
    expect(read).toMatchObject({ code: 0, stdout: 'hello\n' });
    expect(await sluice(['group', 'list', ...login], right)).toMatchObject({ code: 0 });
    const wrong = await sluice(['topic', 'list', ...login], withPassword('wrong'));
    expect(wrong).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining("user 'anna, = b'") });
  });

  it('takes the password from a file, and has it in no place where others see it', async () => {
    const directory = await temporaryDirectory();
    const broker = await start(directory);
    const file = join(directory, 'password');
    await writeFile(file, `${PASSWORD}\nsecond line\n`);
    const login = ['--broker', broker, '--user', 'anna, = b'];
    expect(await sluice(['topic', 'list', ...login, '--password-file', file])).toMatchObject({ code: 0 });
    const { code, stderr } = await sluice(['topic', 'list', ...login, '--password-file', `${file}s`]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('there is no such file')]);
    const none = await sluice(['topic', 'list', ...login]);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('SLUICE_CLIENT_PASSWORD')]);
    const password = ['--password', PASSWORD];
    expect(await sluice(['topic', 'list', ...login, ...password])).toMatchObject({ code: 2 });
  });

  it('stays logged in for as long as it goes on', async () => {
    const broker = await start(await temporaryDirectory(), undefined, { SLUICE_KAFKA_MAX_REAUTH_MS: '300' });
    const login = ['--broker', broker, '--user', 'anna, = b'];
    await sluice(['topic', 'create', 'orders', ...login], withPassword(PASSWORD));
    const consumer = new SluiceProcess(
      ['consume', 'orders', '--from', 'earliest', '--count', '4', ...login],
      withPassword(PASSWORD),
    );
    // Each of these takes longer than a login counts.
    for (let i = 0; i < 4; i++) {
      await sluice(['produce', 'orders', '--value', `${i}`, ...login], withPassword(PASSWORD));
      await consumer.says(new RegExp(`^${i}$`, 'm'));
    }
    expect(await consumer.finished).toMatchObject({ code: 0, stdout: '0\n1\n2\n3\n', stderr: '' });
  });

  it('says what is missing', async () => {
    const broker = await start(await temporaryDirectory());
    const { code, stderr } = await sluice(['topic', 'list', '--broker', broker]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/may want TLS or a login/)]);
    for (const [options, message] of [
      [['--sasl-mechanism', 'PLAIN'], '--user'],
      [['--user', 'a', '--sasl-mechanism', 'GSSAPI'], 'PLAIN, SCRAM-SHA-256, SCRAM-SHA-512'],
      [['--tls-cert', 'x'], '--tls-key'],
    ] as const)
      expect(await sluice(['topic', 'list', '--broker', broker, ...options])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(message),
      });
  });
});

describe('a command over TLS', () => {
  it('believes the authority that it is given, and no other', async () => {
    const directory = await temporaryDirectory();
    const certificate = makeCertificate(directory);
    if (certificate === undefined) throw new Error('openssl makes no certificate');
    const address = await start(directory, certificate);
    const localhost = address.replace('127.0.0.1', 'localhost');
    const list = (broker: string, ...options: string[]) =>
      sluice(['topic', 'list', '--broker', broker, '--user', 'anna, = b', ...options], withPassword(PASSWORD));
    for (const broker of [address, localhost])
      expect(await list(broker, '--tls-ca', certificate.cert)).toMatchObject({ code: 0, stderr: '' });
    const untrusted = await list(localhost, '--tls');
    expect([untrusted.code, untrusted.stderr]).toEqual([1, expect.stringContaining('no authority that is known')]);
    const plain = await list(localhost);
    expect([plain.code, plain.stderr]).toEqual([1, expect.stringContaining('TLS')]);
  });

  it('shows its own certificate to a broker that wants one', async () => {
    const directory = await temporaryDirectory();
    const certificate = makeCertificate(directory);
    if (certificate === undefined) throw new Error('openssl makes no certificate');
    const { cert, key } = certificate;
    const broker = await start(directory, certificate, { SLUICE_TLS_CA: cert, SLUICE_KAFKA_SASL: 'remote' });
    const list = (...options: string[]) => sluice(['topic', 'list', '--broker', broker, '--tls-ca', cert, ...options]);
    expect(await list('--tls-cert', cert, '--tls-key', key)).toMatchObject({ code: 0, stderr: '' });
    expect(await list()).toMatchObject({ code: 1, stderr: expect.stringMatching(/certificate|TLS/) });
  });

  it('says so when there is none', async () => {
    const broker = await start(await temporaryDirectory());
    const { code, stderr } = await sluice(['topic', 'list', '--tls', '--broker', broker]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('TLS')]);
  });
});
