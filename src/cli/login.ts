import { Option } from 'commander';
import { type Login, SASL_MECHANISMS, type SaslMechanism } from '../client/sasl.ts';
import type { TlsOptions } from '../client/socket.ts';
import { readNamed } from './named-file.ts';
import { askPassword, firstLine } from './password.ts';
import { UsageError } from './usage-error.ts';

/** How a command gets into a broker that does not let everybody in. */
export interface LoginOptions {
  readonly user?: string;
  readonly passwordFile?: string;
  readonly saslMechanism?: SaslMechanism;
  readonly tls?: true;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** Everybody on the machine sees what stands on a command line: the password is not among the options. */
const PASSWORD_VARIABLE = 'SLUICE_CLIENT_PASSWORD';
const NEW_PASSWORD_VARIABLE = 'SLUICE_CLIENT_NEW_PASSWORD';
const USER_VARIABLE = 'SLUICE_CLIENT_USER';
/** Options that make sense to Kafka's protocol only, by their names in code. */
export const KAFKA_ONLY: readonly string[] = ['saslMechanism'];
/** It does not send the password to whoever answers. */
const DEFAULT_MECHANISM: SaslMechanism = 'SCRAM-SHA-256';

export function loginOptions(): Option[] {
  return [
    new Option('--user <name>', `log in; the password is asked for, or taken from ${PASSWORD_VARIABLE} or a file`).env(
      USER_VARIABLE,
    ),
    new Option('--password-file <file>', 'its first line is the password'),
    new Option(
      '--sasl-mechanism <name>',
      `how to log in (default: "${DEFAULT_MECHANISM}"); PLAIN for users of whom the broker has a hash of the password only`,
    ).choices(SASL_MECHANISMS),
    new Option('--tls', 'talk TLS, with a broker whose certificate one of the well-known authorities has signed'),
    new Option('--tls-ca <file>', 'talk TLS; the certificate of the authority that has signed it, PEM'),
    new Option('--tls-cert <file>', "talk TLS; this client's own certificate, PEM"),
    new Option('--tls-key <file>', 'its private key, PEM'),
  ];
}

/** Who is to log in; undefined when nobody is. Asks for the password when it has to. */
export async function loginOf(options: LoginOptions): Promise<Login | undefined> {
  const { user, passwordFile, saslMechanism: mechanism = DEFAULT_MECHANISM } = options;
  if (user === undefined) {
    if (passwordFile !== undefined || options.saslMechanism !== undefined)
      throw new UsageError('--password-file and --sasl-mechanism are for --user: give the name as well');
    return undefined;
  }
  return { user, mechanism, password: await passwordOf(user, passwordFile) };
}

/** Asks on the terminal when it is given nowhere. */
export async function passwordOf(user: string, file: string | undefined): Promise<string> {
  if (file !== undefined) return firstLineOf('--password-file', file);
  const given = process.env[PASSWORD_VARIABLE];
  if (given !== undefined && given !== '') return given;
  if (process.stdin.isTTY) return askPassword(`Password of ${user}: `);
  throw new UsageError(`no password for ${user}: set ${PASSWORD_VARIABLE}, or give --password-file FILE`);
}

/** The password that a user is to have. On the terminal it is asked for twice: nobody sees what is typed. */
export async function newPassword(user: string, file: string | undefined): Promise<string> {
  const password = await unchecked(user, file);
  if (password === '') throw new UsageError('the password is empty: nobody could come in with it');
  return password;
}

async function unchecked(user: string, file: string | undefined): Promise<string> {
  if (file !== undefined) return firstLineOf('--new-password-file', file);
  const given = process.env[NEW_PASSWORD_VARIABLE];
  if (given !== undefined && given !== '') return given;
  if (!process.stdin.isTTY)
    throw new UsageError(`no new password for ${user}: set ${NEW_PASSWORD_VARIABLE}, or give --new-password-file FILE`);
  const password = await askPassword(`New password of ${user}: `);
  if ((await askPassword('Again: ')) !== password)
    throw new UsageError('the two are not the same: nothing was changed');
  return password;
}

async function firstLineOf(option: string, file: string): Promise<string> {
  const bytes = await readNamed(option, file);
  return firstLine(
    (async function* () {
      yield bytes;
    })(),
  );
}

/** What is needed to talk TLS; undefined when that is not asked for. */
export async function tlsOf({
  tls,
  tlsCa: ca,
  tlsCert: cert,
  tlsKey: key,
}: LoginOptions): Promise<TlsOptions | undefined> {
  if ((cert === undefined) !== (key === undefined))
    throw new UsageError('--tls-cert and --tls-key go together: give both');
  if (!tls && ca === undefined && cert === undefined) return undefined;
  const read = (option: string, file: string | undefined) => (file === undefined ? undefined : readNamed(option, file));
  const [caBytes, certBytes, keyBytes] = await Promise.all([
    read('--tls-ca', ca),
    read('--tls-cert', cert),
    read('--tls-key', key),
  ]);
  return { ca: caBytes, cert: certBytes, key: keyBytes };
}
