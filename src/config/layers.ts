// biome-ignore lint/style/noRestrictedImports: read before there is a broker, and perhaps from a pipe (--config <(...)), which is none of a broker's files.
import { readFile } from 'node:fs/promises';
import { BrokerError } from '../errors.ts';
import { nearest } from './nearest.ts';
import type { SettingSource } from './origins.ts';
import type { SettingsInput } from './schema.ts';
import { SETTINGS, type Setting } from './setting.ts';

/** A nested object of settings that nobody has checked yet. */
export type Values = { readonly [key: string]: unknown };

/** Settings from one place, and how that place names them: for error messages. */
export interface Layer {
  readonly values: Values;
  /** How to tell the reader where the setting came from. */
  readonly whence: (setting: string) => string;
  readonly source: SettingSource;
}

/** The start-up flags that set something. */
const FLAGS: Readonly<Record<string, string>> = {
  listeners: '--listen',
  advertise: '--advertise',
  logLevel: '--log-level',
  'storage.kind': '--storage',
  'storage.directory': '--data',
};

export function flagLayer(values: SettingsInput): Layer {
  return { values: values as Values, whence: (setting) => FLAGS[setting] ?? 'flags', source: 'flag' };
}

/** Throws `invalid-configuration` when the file cannot be read or is not YAML. */
export async function fileLayer(path: string): Promise<Layer> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : (error.code ?? error.message);
    throw new BrokerError('invalid-configuration', `cannot read ${path}: ${why}; check the path given to --config`);
  });
  // Most brokers run without a file, and need not wait for the parser.
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text);
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    // The first line says what and where; those after it draw a picture.
    throw new BrokerError(
      'invalid-configuration',
      `${path} is not YAML: ${problem.message.split('\n')[0]?.replace(/:$/, '')}`,
    );
  }
  const values: unknown = document.toJS() ?? {};
  if (!isValues(values)) {
    throw new BrokerError('invalid-configuration', `${path} must hold settings, as in 'logLevel: debug'`);
  }
  return { values, whence: () => path, source: 'file' };
}

/** Variables that begin as ours do and are none of the settings. */
const NOT_SETTINGS: readonly RegExp[] = [
  // Which tests to run; a test that starts a broker passes it on.
  /^SLUICE_TESTS$/,
  // What `sluice topic`, `sluice queue` and the like connect and log in with.
  /^SLUICE_CLIENT_(BROKER|URL|USER|PASSWORD|NEW_PASSWORD)$/,
  // What Kubernetes gives each container about a Service named sluice or sluice-*.
  /^SLUICE(_\w+)?_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/,
];

/** The settings among the variables; one that is empty counts as not set. Throws `invalid-configuration` for an unknown one. */
export function environmentLayer(environment: Readonly<Record<string, string | undefined>>): Layer {
  const byVariable = new Map(SETTINGS.map((setting) => [setting.variable, setting]));
  const values: Record<string, unknown> = {};
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith('SLUICE_') || text === undefined || text === '') continue;
    const setting = byVariable.get(variable);
    if (setting !== undefined) put(values, setting.path, fromText(setting, text));
    else if (!NOT_SETTINGS.some((pattern) => pattern.test(variable))) {
      const meant = nearest(variable, byVariable.keys());
      const hint = meant === undefined ? 'see docs/configuration.md, or unset it' : `did you mean ${meant}?`;
      throw new BrokerError('invalid-configuration', `the environment variable ${variable} is no setting; ${hint}`);
    }
  }
  const variables = new Map(SETTINGS.map((setting) => [setting.name, setting.variable]));
  return { values, whence: (setting) => variables.get(setting) ?? 'the environment', source: 'environment' };
}

/** What does not look like the kind that is wanted stays text, for the schema to refuse. */
function fromText({ kind }: Setting, text: string): unknown {
  if (kind === 'number') return /^-?\d+$/.test(text.trim()) ? Number(text) : text;
  if (kind === 'boolean') return /^(true|false)$/i.test(text.trim()) ? /true/i.test(text) : text;
  if (kind === 'list') return text.split(',').map((part) => part.trim());
  return text;
}

function put(values: Record<string, unknown>, path: readonly string[], value: unknown): void {
  let at = values;
  for (const key of path.slice(0, -1)) {
    at[key] ??= {};
    at = at[key] as Record<string, unknown>;
  }
  at[path.at(-1) as string] = value;
}

/** The layers in one; a later one wins. Lists are taken whole. */
export function mergeLayers(layers: readonly Layer[]): Values {
  return layers.reduce<Values>((merged, layer) => merge(merged, layer.values), {});
}

function merge(under: Values, over: Values): Values {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    if (value !== undefined) merged[key] = isValues(value) && isValues(below) ? merge(below, value) : value;
  }
  return merged;
}

export function isValues(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
