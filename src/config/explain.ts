import type { z } from 'zod';
import { isValues, type Layer, type Values } from './layers.ts';
import { nearest } from './nearest.ts';
import { SECTIONS, SETTINGS } from './setting.ts';

type Issue = z.core.$ZodIssue;

/** One line about what the schema refused: which setting, where it came from, what is wrong and what would be right. */
export function explain(issue: Issue, values: Values, layers: readonly Layer[]): string {
  const keys = issue.path.map(String);
  if (issue.code === 'invalid_union') return explain(meant(issue, valueAt(values, keys)), values, layers);
  if (issue.code === 'unrecognized_keys') {
    const unknown = [...keys, issue.keys[0] ?? ''];
    return `${unknown.join('.')}${whence(unknown, layers)}: there is no such setting; ${suggestion(unknown)}`;
  }
  return `${keys.join('.')}${whence(keys, layers)}: ${problem(issue, valueAt(values, keys))}`;
}

/** Of something that may be text or a section, what is wrong with what it looks like. */
function meant(issue: Issue & { readonly code: 'invalid_union' }, value: unknown): Issue {
  const [asText, asSection] = issue.errors.map(([first]) => first);
  const first = isValues(value) ? asSection : asText;
  return first === undefined ? { ...issue, code: 'custom' } : { ...first, path: [...issue.path, ...first.path] };
}

function problem(issue: Issue, value: unknown): string {
  const given = JSON.stringify(value);
  switch (issue.code) {
    case 'invalid_type': {
      const wanted = TYPES[issue.expected] ?? issue.expected;
      return value === undefined ? `it is missing; give ${wanted}` : `${given} is not ${wanted}`;
    }
    case 'invalid_value': {
      const choices = issue.values.map(String);
      const meant = nearest(String(value), choices);
      return `${given} is not one of ${choices.join(', ')}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
    }
    case 'too_small':
      return issue.origin === 'number' || issue.origin === 'int'
        ? `${given} is too small; give at least ${issue.minimum}`
        : 'it must not be empty; give a value or leave it out';
    case 'too_big':
      return issue.origin === 'string'
        ? `it is too long; give at most ${issue.maximum} characters`
        : `${given} is too large; give at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a section with settings of its own',
};

/** The layer that counts, for which the last one that has the key is asked. */
function whence(keys: readonly string[], layers: readonly Layer[]): string {
  // An element of a list is named by the place of the list.
  const layer = layers.findLast(({ values }) => valueAt(values, keys) !== undefined);
  const setting = keys.at(-1)?.match(/^\d+$/) ? keys.slice(0, -1) : keys;
  return layer === undefined ? '' : ` (${layer.whence(setting.join('.'))})`;
}

function valueAt(values: unknown, keys: readonly string[]): unknown {
  let at = values;
  for (const key of keys) {
    if (Array.isArray(at)) at = at[Number(key)];
    else if (isValues(at)) at = at[key];
    else return undefined;
  }
  return at;
}

function suggestion(unknown: readonly string[]): string {
  const parent = unknown.slice(0, -1).join('.');
  const last = unknown.at(-1) ?? '';
  const all = [...SETTINGS.map(({ path }) => path), ...SECTIONS.map(({ path }) => path)].filter(
    ({ length }) => length > 0,
  );
  const siblings = all.filter((path) => path.slice(0, -1).join('.') === parent).map((path) => String(path.at(-1)));
  const sibling = nearest(last, siblings);
  if (sibling !== undefined) return `did you mean '${sibling}'?`;
  // Right name, wrong section.
  const elsewhere = all.find((path) => path.at(-1)?.toLowerCase() === last.toLowerCase());
  if (elsewhere !== undefined) return `did you mean '${elsewhere.join('.')}'?`;
  return siblings.length === 0 ? 'see docs/configuration.md' : `there are ${siblings.join(', ')}`;
}
