import { isUtf8 } from 'node:buffer';
import { decodeTable, type Field, type FieldTable, type User, type Users } from '../../broker/index.ts';
import { BrokerError } from '../../errors.ts';
import { AmqpError } from './errors.ts';

/*
 *   PLAIN     %x00 name %x00 password          (RFC 4616, without the identity to act as)
 *   AMQPLAIN  a field table without its length, with LOGIN and PASSWORD
 *   EXTERNAL  anything: who the client is, its certificate says
 */

/** What a client can show besides what it sends. */
export interface SaslClient {
  /** It is on this machine. */
  readonly loopback: boolean;
  /** Where it is. */
  readonly address?: string | undefined;
  /** Whether clients of the listener are asked for certificates. */
  readonly asksForCertificate: boolean;
  /** The user's name in a certificate that was verified. */
  readonly certificateName?: string | undefined;
}

export interface PasswordLogin {
  readonly name: string;
  readonly password: string;
}

const MECHANISMS: readonly string[] = ['PLAIN', 'AMQPLAIN', 'EXTERNAL'];

/** The mechanisms for `connection.start`. */
export function mechanismsFor({ asksForCertificate }: Pick<SaslClient, 'asksForCertificate'>): string {
  return MECHANISMS.filter((mechanism) => mechanism !== 'EXTERNAL' || asksForCertificate).join(' ');
}

/**
 * The user that a client shows itself to be. Throws what the client is answered: `COMMAND_INVALID` for a mechanism that is not
 * offered, `SYNTAX_ERROR` for a response that is none, `ACCESS_REFUSED` with the reason. That one is for the log where the
 * client knows authentication_failure_close: it is sent `failureText` instead.
 */
export function logIn(users: Users, client: SaslClient, mechanism: string, response: Buffer): User {
  if (!MECHANISMS.includes(mechanism))
    throw new AmqpError('COMMAND_INVALID', `unknown authentication mechanism '${mechanism}'`);
  try {
    if (mechanism === 'EXTERNAL') return logInByCertificate(users, client);
    const { name, password } = mechanism === 'PLAIN' ? decodePlain(response) : decodeAmqplain(response);
    return users.authenticate(name, password, client);
  } catch (error) {
    if (error instanceof BrokerError && error.code === 'not-authorized')
      throw new AmqpError('ACCESS_REFUSED', `${mechanism} login refused: ${error.message}`, { cause: error });
    throw error;
  }
}

/** What a client is told that was refused: no more than it needs to know. */
export function failureText(mechanism: string): string {
  return `Login was refused using authentication mechanism ${mechanism}. For details see the broker logfile.`;
}

/** Throws `SYNTAX_ERROR`. */
export function decodePlain(response: Buffer): PasswordLogin {
  const separator = response.indexOf(0, 1);
  if (response[0] !== 0 || separator === -1 || response.includes(0, separator + 1) || !isUtf8(response))
    throw new AmqpError('SYNTAX_ERROR', 'response of PLAIN invalid');
  return { name: response.toString('utf8', 1, separator), password: response.toString('utf8', separator + 1) };
}

/** Throws `SYNTAX_ERROR`. */
export function decodeAmqplain(response: Buffer): PasswordLogin {
  const table = fieldsOf(response);
  const name = table.get('LOGIN');
  const password = table.get('PASSWORD');
  if (name === undefined || password === undefined)
    throw new AmqpError('SYNTAX_ERROR', 'AMQPLAIN auth info is missing LOGIN or PASSWORD field');
  return { name: textOf(name), password: textOf(password) };
}

function fieldsOf(response: Buffer): FieldTable {
  try {
    return decodeTable(response, 0, response.length);
  } catch (error) {
    // What is wrong with it may be quoted, and there may be a password in it: the reason stays here.
    if (error instanceof BrokerError) throw new AmqpError('SYNTAX_ERROR', 'response of AMQPLAIN invalid');
    throw error;
  }
}

function textOf(field: Field): string {
  if (field.type === 'S' && field.bytes === undefined) return field.value;
  if (field.type === 'x' && isUtf8(field.value)) return field.value.toString();
  throw new AmqpError('SYNTAX_ERROR', 'AMQPLAIN auth info uses unsupported type for LOGIN or PASSWORD field');
}

function logInByCertificate(users: Users, client: SaslClient): User {
  if (!client.asksForCertificate) throw new AmqpError('COMMAND_INVALID', "invalid authentication mechanism 'EXTERNAL'");
  if (client.certificateName === undefined)
    throw new BrokerError('not-authorized', 'the client showed no TLS certificate with a name in it');
  return users.authenticateExternal(client.certificateName, client);
}
