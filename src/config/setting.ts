import { z } from 'zod';
import { settingsSchema } from './schema.ts';

/** One thing that can be set, as the schema has it. */
export interface Setting {
  /** Keys from the top, as in the file. */
  readonly path: readonly string[];
  /** The path with dots, as people write it. */
  readonly name: string;
  /** `SLUICE_` and the path, in capitals with underscores. */
  readonly variable: string;
  readonly kind: 'number' | 'boolean' | 'text' | 'list';
  /** Of a choice, all that may be chosen. */
  readonly choices: readonly string[] | undefined;
  readonly minimum: number | undefined;
  readonly maximum: number | undefined;
  /** Undefined when it is not there unless given. */
  readonly default: unknown;
  readonly description: string;
}

/** A heading over settings. */
export interface Section {
  readonly path: readonly string[];
  readonly description: string;
  readonly settings: readonly Setting[];
}

/** The settings in the order of the schema; those of the top first, with an empty path. */
export const SECTIONS: readonly Section[] = sectionsOf(settingsSchema, [], '');

export const SETTINGS: readonly Setting[] = SECTIONS.flatMap((section) => section.settings);

function sectionsOf(object: z.ZodObject, path: readonly string[], description: string): Section[] {
  const settings: Setting[] = [];
  const below: Section[] = [];
  for (const [key, schema] of Object.entries(object.shape)) {
    const wrapped = schema as z.ZodType;
    const inner = unwrap(wrapped);
    const at = [...path, key];
    if (inner instanceof z.ZodObject) below.push(...sectionsOf(inner, at, describe(wrapped)));
    else settings.push(settingOf(wrapped, inner, at));
  }
  return [{ path, description, settings }, ...below];
}

function settingOf(wrapped: z.ZodType, inner: z.ZodType, path: readonly string[]): Setting {
  const name = path.join('.');
  const number = inner instanceof z.ZodNumber ? inner : undefined;
  return {
    path,
    name,
    variable: variableOf(path),
    kind: kindOf(inner, name),
    choices: inner instanceof z.ZodEnum ? inner.options.map(String) : undefined,
    minimum: number?.minValue ?? undefined,
    maximum: number?.maxValue ?? undefined,
    default: wrapped instanceof z.ZodDefault ? wrapped.def.defaultValue : undefined,
    description: describe(wrapped) || describe(inner),
  };
}

function kindOf(schema: z.ZodType, name: string): Setting['kind'] {
  if (schema instanceof z.ZodNumber) return 'number';
  if (schema instanceof z.ZodBoolean) return 'boolean';
  if (schema instanceof z.ZodArray) return 'list';
  if (schema instanceof z.ZodString || schema instanceof z.ZodEnum) return 'text';
  throw new TypeError(`${name} is of a type that the environment cannot set: teach it here`);
}

function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) {
    return unwrap(schema.unwrap() as z.ZodType);
  }
  return schema;
}

function describe(schema: z.ZodType): string {
  return schema.description ?? '';
}

/** `kafka.topicDefaults.retention.ms` is SLUICE_KAFKA_TOPIC_DEFAULTS_RETENTION_MS. */
function variableOf(path: readonly string[]): string {
  const words = path.map((key) => key.replaceAll('.', '_').replace(/[a-z](?=[A-Z])/g, '$&_'));
  return ['SLUICE', ...words].join('_').toUpperCase();
}
