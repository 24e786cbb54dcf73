import { type Command, InvalidArgumentError, Option } from 'commander';
import { KAFKA_ONLY, type LoginOptions, loginOptions, passwordOf, tlsOf } from '../login.ts';
import { UsageError } from '../usage-error.ts';
import { ApiClient } from './api-client.ts';

/** The options of every command that asks the HTTP API. */
export interface ApiOptions extends Omit<LoginOptions, 'saslMechanism'> {
  readonly url: URL;
  readonly json?: true;
}

const DEFAULT_URL = 'http://localhost:15672';
const URL_VARIABLE = 'SLUICE_CLIENT_URL';
/** Whom every new broker has, for its own machine only. */
const DEFAULT_USER = 'guest';
const TLS_SCHEMES = ['https:', 'https+tls:', 'http+tls:'];

/** `--url`, `--json` and how to log in. `what` says what `--json` does; without it there is none. */
export function api(command: Command, what?: string): Command {
  command.addOption(
    new Option('--url <url>', `where the broker's HTTP API is`)
      .argParser(apiUrl)
      .env(URL_VARIABLE)
      .default(apiUrl(DEFAULT_URL), DEFAULT_URL),
  );
  if (what !== undefined) command.option('--json', what);
  for (const option of loginOptions())
    if (!KAFKA_ONLY.includes(option.attributeName()))
      command.addOption(option.helpGroup('Options for brokers with TLS or logins:'));
  return command;
}

/** Runs something with a client of the API, and closes it. */
export async function withApi<Result>(
  options: ApiOptions,
  run: (client: ApiClient) => Promise<Result>,
): Promise<Result> {
  const client = await apiClient(options);
  try {
    return await run(client);
  } finally {
    client.close();
  }
}

/** Asks for the password when it has to. */
export async function apiClient(options: ApiOptions): Promise<ApiClient> {
  const { url, user, passwordFile } = options;
  if (user === undefined && passwordFile !== undefined)
    throw new UsageError('--password-file is for --user: give the name as well');
  const overTls = TLS_SCHEMES.includes(url.protocol);
  const tls = (await tlsOf(options)) ?? (overTls ? {} : undefined);
  const password = user === undefined ? DEFAULT_USER : await passwordOf(user, passwordFile);
  return new ApiClient({ url, tls, user: user ?? DEFAULT_USER, password, userGiven: user !== undefined });
}

/** `URL`, or `HOST:PORT` alone. A password has no place in it: everybody on the machine sees what stands on a command line. */
export function apiUrl(text: string): URL {
  const whole = /^[a-z+]+:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (url === undefined || url.hostname === '' || !['http:', ...TLS_SCHEMES].includes(url.protocol))
    throw new InvalidArgumentError('http://HOST:PORT or https://HOST:PORT is wanted, as in http://localhost:15672.');
  if (url.username !== '' || url.password !== '')
    throw new InvalidArgumentError('Give the user by --user, and the password by a file or on the terminal.');
  return url;
}
