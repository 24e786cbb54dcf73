import { BrokerError } from '../errors.ts';
import { explain } from './explain.ts';
import { environmentLayer, fileLayer, flagLayer, type Layer, mergeLayers, type Values } from './layers.ts';
import { originsOf, type SettingOrigins } from './origins.ts';
import { type Settings, type SettingsInput, settingsSchema } from './schema.ts';

export interface SettingsSources {
  /** Path of a YAML file. */
  readonly file?: string | undefined;
  /** Of which the `SLUICE_` variables count. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** What the command line says. */
  readonly flags?: SettingsInput | undefined;
}

/**
 * The settings: flags before environment before file before defaults. Throws `invalid-configuration`, in one line that
 * names the setting, where it came from, what is wrong and how to mend it.
 */
export async function loadSettings(sources: SettingsSources): Promise<Settings> {
  return (await loadWithOrigins(sources)).settings;
}

/** Settings, where each came from, and how to take them from there again. */
export interface LoadedSettings {
  readonly settings: Settings;
  readonly origins: SettingOrigins;
  /** Undefined where there is no file that could have changed. Rejects as `loadSettings` does. */
  readonly reload: (() => Promise<LoadedSettings>) | undefined;
}

/** Rejects as `loadSettings` does. */
export async function loadWithOrigins(sources: SettingsSources): Promise<LoadedSettings> {
  const { file, env = {}, flags = {} } = sources;
  const layers: Layer[] = [environmentLayer(env), flagLayer(flags)];
  if (file !== undefined) layers.unshift(await fileLayer(file));
  const reload = file === undefined ? undefined : () => loadWithOrigins(sources);
  return { settings: check(layers), origins: originsOf(layers), reload };
}

/** Which of the settings a program gives. */
export function originsOfProgram(given: SettingsInput): SettingOrigins {
  return originsOf([programLayer(given)]);
}

/** Settings that a program gives, with defaults for the rest. Throws as `loadSettings` does. */
export function completeSettings(given: SettingsInput = {}): Settings {
  return check([programLayer(given)]);
}

function programLayer(given: SettingsInput): Layer {
  return { values: given as Values, whence: () => 'settings', source: 'program' };
}

function check(layers: readonly Layer[]): Settings {
  const values = mergeLayers(layers);
  const { data, error } = settingsSchema.safeParse(values);
  if (data !== undefined) return data;
  // A failed parse has at least one issue. One at a time: the next shows when this one is mended.
  throw new BrokerError('invalid-configuration', explain(error.issues[0]!, values, layers), { cause: error });
}
