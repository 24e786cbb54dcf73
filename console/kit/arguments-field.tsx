import { common, formWords } from '../words/common.ts';
import { Button } from './button.tsx';
import type { FieldState } from './form.tsx';
import { Select } from './form.tsx';

/** One of the optional arguments of a queue, an exchange, a binding; a header of a message. */
export interface Argument {
  readonly key: string;
  readonly type: 'string' | 'number' | 'boolean' | 'json';
  readonly value: string;
}

export interface ArgumentsFieldProps extends FieldState<readonly Argument[]> {
  readonly label: string;
  /** Keys that are offered while typing, with the type that each has. */
  readonly known?: Readonly<Record<string, Argument['type']>>;
}

const EMPTY: Argument = { key: '', type: 'string', value: '' };

/** Names with typed values, as many as one likes. */
export function ArgumentsField({ label, name, value, error, onChange, known = {} }: ArgumentsFieldProps) {
  const change = (index: number, changes: Partial<Argument>) =>
    onChange(value.map((each, at) => (at === index ? { ...each, ...changes } : each)));
  const types = [
    { value: 'string', label: formWords.text },
    { value: 'number', label: formWords.number },
    { value: 'boolean', label: formWords.boolean },
    { value: 'json', label: 'JSON' },
  ] as const;
  return (
    <fieldset class="field arguments">
      <legend>{label}</legend>
      {value.map((argument, index) => (
        // Rows have no identity but their place.
        <div class="argument" key={index}>
          <input
            class="mono"
            aria-label={common.key}
            placeholder={common.key}
            list={`${name}-known`}
            value={argument.key}
            onInput={({ currentTarget: { value: key } }) =>
              change(index, { key, ...(known[key] && { type: known[key] }) })
            }
          />
          {argument.type === 'boolean' ? (
            <Select
              label={common.value}
              value={argument.value === 'true' ? 'true' : 'false'}
              options={[
                { value: 'true', label: 'true' },
                { value: 'false', label: 'false' },
              ]}
              onChange={(chosen) => change(index, { value: chosen })}
            />
          ) : (
            <input
              class="mono"
              aria-label={common.value}
              placeholder={common.value}
              value={argument.value}
              onInput={({ currentTarget }) => change(index, { value: currentTarget.value })}
            />
          )}
          <Select
            label={common.type}
            value={argument.type}
            options={types}
            onChange={(type) => change(index, { type })}
          />
          <Button
            kind="quiet"
            icon="close"
            label={common.remove}
            onClick={() => onChange(value.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <datalist id={`${name}-known`}>
        {Object.keys(known).map((key) => (
          <option key={key} value={key} />
        ))}
      </datalist>
      {error !== undefined && <p class="error">{error}</p>}
      <Button icon="plus" kind="quiet" onClick={() => onChange([...value, EMPTY])}>
        {common.add}
      </Button>
    </fieldset>
  );
}

/** What is wrong with them, for `validate`. */
export function checkArguments(given: readonly Argument[]): string | undefined {
  for (const { key, type, value } of given) {
    if (key.trim() === '') return formWords.isRequired;
    if (type === 'number' && (value.trim() === '' || !Number.isFinite(Number(value))))
      return `${key}: ${formWords.notNumber}`;
    if (type === 'json' && parsed(value) === undefined) return `${key}: ${formWords.notJson}`;
  }
  return undefined;
}

/** As JSON, of those that were checked. */
export function argumentsOf(given: readonly Argument[]): Record<string, unknown> {
  return Object.fromEntries(given.map(({ key, type, value }) => [key, typed(type, value)]));
}

function typed(type: Argument['type'], value: string): unknown {
  if (type === 'number') return Number(value);
  if (type === 'boolean') return value === 'true';
  return type === 'json' ? parsed(value) : value;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
