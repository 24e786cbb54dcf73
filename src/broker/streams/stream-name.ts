import { BrokerError } from '../../errors.ts';

/** Kafka's limit, for a name becomes part of file names there. */
const MAX_NAME_LENGTH = 249;

/** The name as it would be in metrics, where '.' and '_' are the same. */
export function flatName(name: string): string {
  return name.replaceAll('.', '_');
}

/** Throws `invalid-argument` for a name that no stream can have, in Kafka's words. */
export function checkName(name: string): void {
  const wrong =
    name === ''
      ? 'the empty string is not allowed'
      : name === '.' || name === '..'
        ? `'.' or '..' is not allowed`
        : name.length > MAX_NAME_LENGTH
          ? `the length of '${name}' is longer than the max allowed length ${MAX_NAME_LENGTH}`
          : /^[a-zA-Z0-9._-]+$/.test(name)
            ? undefined
            : `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`;
  if (wrong !== undefined) throw new BrokerError('invalid-argument', `Topic name is invalid: ${wrong}`);
}
