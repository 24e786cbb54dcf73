import { BrokerError } from '../../errors.ts';

/** What was set, by name. */
export type ConfigValues = Readonly<Record<string, string>>;

/** Makes other values of those that are set; it may throw. */
export type ConfigChange = (own: ConfigValues) => ConfigValues;

export type ConfigType = 'boolean' | 'string' | 'int' | 'long' | 'double' | 'list';

export interface ConfigDefinition {
  readonly name: string;
  readonly type: ConfigType;
  readonly default: string;
  readonly doc: string;
  /** Answers what is wrong with a value, or undefined. */
  readonly check: (value: string) => string | undefined;
  /** Accepted because clients set it; it changes nothing here. */
  readonly ignored?: true;
  /** Kafka had it before version 4.0, and its users still set it: taken, and shown where it is set. */
  readonly former?: true;
}

export function definitionsByName<D extends ConfigDefinition>(definitions: readonly D[]): ReadonlyMap<string, D> {
  return new Map(definitions.map((definition) => [definition.name, definition]));
}

/** Lists have no length of their own, and what is set is kept in memory. */
const MAX_VALUE_LENGTH = 4096;

/** Throws `invalid-configuration` for a name or a value that is not one. `what` the settings are of is for the message. */
export function checkConfig(
  what: string,
  definitions: ReadonlyMap<string, ConfigDefinition>,
  config: ConfigValues,
): void {
  for (const [name, value] of Object.entries(config)) {
    const definition = definitions.get(name);
    if (definition === undefined)
      throw new BrokerError('invalid-configuration', `Unknown ${what} config name: ${name}`);
    if (value.length > MAX_VALUE_LENGTH)
      throw new BrokerError(
        'invalid-configuration',
        `The value of ${name} is longer than ${MAX_VALUE_LENGTH} characters`,
      );
    const wrong = definition.check(value);
    if (wrong !== undefined)
      throw new BrokerError('invalid-configuration', `Invalid value ${value} for configuration ${name}: ${wrong}`);
  }
}

const MAX_LONG = 9_223_372_036_854_775_807n;

function whole(min: number, max: bigint): ConfigDefinition['check'] {
  return (value) => {
    if (!/^-?\d{1,19}$/.test(value)) return 'a whole number is wanted';
    const number = BigInt(value);
    return number < BigInt(min) || number > max ? `it must lie between ${min} and ${max}` : undefined;
  };
}

export const long = (min: number, max: number | bigint = MAX_LONG) => whole(min, BigInt(max));
export const int = (min: number, max = 2_147_483_647) => whole(min, BigInt(max));

export const oneOf =
  (values: readonly string[]): ConfigDefinition['check'] =>
  (value) =>
    values.includes(value) ? undefined : `it must be ${values.join(' or ')}`;

export const listOf =
  (values: readonly string[]): ConfigDefinition['check'] =>
  (value) => {
    const unknown = value.split(',').find((part) => !values.includes(part.trim()));
    return unknown === undefined ? undefined : `'${unknown}' is not one of ${values.join(', ')}`;
  };

export const ratio: ConfigDefinition['check'] = (value) =>
  /^[01](\.\d+)?$/.test(value) && Number(value) <= 1 ? undefined : 'a number from 0 to 1 is wanted';

export const anything: ConfigDefinition['check'] = () => undefined;
