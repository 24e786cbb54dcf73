import { isValues, type Layer, type Values } from './layers.ts';
import { SETTINGS, type Setting } from './setting.ts';

/** Where a setting's value comes from; `program` for who embeds the broker. */
export type SettingSource = 'default' | 'file' | 'environment' | 'flag' | 'program';

export type SettingOrigins = ReadonlyMap<string, SettingSource>;

/** By name, those that some layer sets; a later one wins. */
export function originsOf(layers: readonly Layer[]): SettingOrigins {
  const origins = new Map<string, SettingSource>();
  for (const { values, source } of layers)
    for (const { name, path } of SETTINGS) if (valueAt(values, path) !== undefined) origins.set(name, source);
  return origins;
}

/** What a setting is among checked ones; undefined for one that is not there unless given. */
export function valueAt(values: Values, path: readonly string[]): unknown {
  let at: unknown = values;
  for (const key of path) at = isValues(at) ? at[key] : undefined;
  return at;
}

/** Names of settings, and of what is within them, whose values nobody is told. */
const SECRET = /password|secret|token|passphrase|credential|apikey|headers/i;

export function isSecret({ name }: Pick<Setting, 'name'>): boolean {
  return SECRET.test(name);
}

/** The value without what is secret within it. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value === 'string') return value.replace(/(:\/\/)[^/\s]*@/g, '$1');
  if (!isValues(value)) return value;
  const parts = Object.entries(value).map(([key, part]) => [key, SECRET.test(key) ? null : withoutSecrets(part)]);
  return Object.fromEntries(parts);
}
