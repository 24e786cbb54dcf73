import type { ComponentChildren } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import { type ApiError, toApiError } from '../api/errors.ts';
import { Button } from './button.tsx';
import { explain } from './explain.ts';
import { Icon } from './icon.tsx';

type Wrong<Values> = { readonly [Name in keyof Values]?: string | undefined };

export interface FormOptions<Values> {
  readonly initial: Values;
  /** What is wrong, by field. */
  validate?(values: Values): Wrong<Values>;
  /** Rejects with what the broker says, which is shown above the buttons. */
  submit(values: Values): Promise<unknown>;
}

/** What a field is given by `form.field(name)`. */
export interface FieldState<Value> {
  readonly name: string;
  readonly value: Value;
  readonly error: string | undefined;
  onChange(value: Value): void;
}

export interface FormState<Values> {
  readonly values: Values;
  readonly busy: boolean;
  readonly failure: ApiError | undefined;
  field<Name extends keyof Values & string>(name: Name): FieldState<Values[Name]>;
  set(changes: Partial<Values>): void;
  submit(): Promise<void>;
}

/** Values of a form, checked when it is sent, and from then on with each change. */
export function useForm<Values extends object>(options: FormOptions<Values>): FormState<Values> {
  const [values, setValues] = useState(options.initial);
  const [checked, setChecked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<ApiError>();
  const sending = useRef(false);
  const wrong: Wrong<Values> = (checked && options.validate?.(values)) || {};
  return {
    values,
    busy,
    failure,
    field: (name) => ({
      name,
      value: values[name],
      error: wrong[name],
      onChange: (value) => setValues((before) => ({ ...before, [name]: value })),
    }),
    set: (changes) => setValues((before) => ({ ...before, ...changes })),
    async submit() {
      if (sending.current) return;
      setChecked(true);
      const problems = options.validate?.(values) ?? {};
      if (Object.values(problems).some((each) => each !== undefined)) return;
      sending.current = true;
      setBusy(true);
      setFailure(undefined);
      try {
        await options.submit(values);
      } catch (error) {
        setFailure(toApiError(error));
      } finally {
        sending.current = false;
        setBusy(false);
      }
    },
  };
}

interface FormProps {
  readonly form: Pick<FormState<object>, 'busy' | 'failure' | 'submit'>;
  /** What the button says. */
  readonly action: string;
  readonly harm?: boolean;
  readonly children: ComponentChildren;
  /** Further buttons. */
  readonly buttons?: ComponentChildren;
}

export function Form({ form, action, harm = false, children, buttons }: FormProps) {
  const element = useRef<HTMLFormElement>(null);
  return (
    <form
      ref={element}
      class="form"
      noValidate
      onSubmit={async (event) => {
        event.preventDefault();
        await form.submit();
        element.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
      }}
    >
      {children}
      {form.failure && (
        <p class="form-failure" role="alert">
          <Icon name="warning" />
          {explain(form.failure)}
        </p>
      )}
      <footer class="buttons">
        {buttons}
        <Button type="submit" kind={harm ? 'harm' : 'primary'} busy={form.busy}>
          {action}
        </Button>
      </footer>
    </form>
  );
}

interface Labelled {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly required?: boolean;
  readonly disabled?: boolean;
}

interface FieldProps extends Labelled {
  readonly error: string | undefined;
  readonly children: (attributes: FieldAttributes) => ComponentChildren;
}

/** What the element that takes the value has to have. */
export interface FieldAttributes {
  readonly id: string;
  readonly 'aria-describedby'?: string;
  readonly 'aria-invalid'?: boolean;
  readonly 'aria-required'?: boolean;
  readonly disabled?: boolean;
}

/** Label, hint and error around whatever takes a value. */
export function Field({ label, hint, required = false, disabled = false, error, children }: FieldProps) {
  const id = useId();
  const described = error !== undefined || hint !== undefined;
  return (
    <div class={error === undefined ? 'field' : 'field wrong'}>
      <label for={id}>
        {label}
        {required && (
          <span class="required" aria-hidden="true">
            {' *'}
          </span>
        )}
      </label>
      {children({
        id,
        ...(described && { 'aria-describedby': `${id}-more` }),
        ...(error !== undefined && { 'aria-invalid': true }),
        ...(required && { 'aria-required': true }),
        ...(disabled && { disabled }),
      })}
      {described && (
        <p id={`${id}-more`} class={error === undefined ? 'hint' : 'error'}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}

export interface TextFieldProps extends Labelled, FieldState<string> {
  readonly type?: 'text' | 'password' | 'datetime-local';
  readonly inputMode?: 'numeric' | 'decimal' | 'text';
  readonly placeholder?: string;
  readonly autocomplete?: string;
  /** Known values, to choose from while typing. */
  readonly suggestions?: readonly string[];
  readonly monospace?: boolean;
}

export function TextField(props: TextFieldProps) {
  const { type = 'text', inputMode, placeholder, autocomplete = 'off', suggestions, monospace = false } = props;
  const listId = useId();
  return (
    <Field {...props}>
      {(attributes) => (
        <>
          <input
            {...attributes}
            {...(type === 'text' ? { type, ...(suggestions && { list: listId }) } : { type })}
            name={props.name}
            class={monospace ? 'mono' : ''}
            value={props.value}
            autocomplete={autocomplete}
            spellcheck={false}
            {...(inputMode && { inputMode })}
            {...(placeholder !== undefined && { placeholder })}
            onInput={({ currentTarget }) => props.onChange(currentTarget.value)}
          />
          {suggestions && (
            <datalist id={listId}>
              {suggestions.map((each) => (
                <option key={each} value={each} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}

export function TextArea(
  props: Labelled & FieldState<string> & { readonly rows?: number; readonly monospace?: boolean },
) {
  return (
    <Field {...props}>
      {(attributes) => (
        <textarea
          {...attributes}
          name={props.name}
          class={props.monospace ? 'mono' : ''}
          rows={props.rows ?? 5}
          spellcheck={false}
          value={props.value}
          onInput={({ currentTarget }) => props.onChange(currentTarget.value)}
        />
      )}
    </Field>
  );
}

export interface Option<Value extends string = string> {
  readonly value: Value;
  readonly label: string;
}

export function SelectField<Value extends string>(
  props: Labelled & FieldState<Value> & { readonly options: readonly Option<Value>[] },
) {
  return <Field {...props}>{(attributes) => <Select {...attributes} {...props} />}</Field>;
}

interface SelectProps<Value extends string> {
  readonly id?: string;
  readonly label?: string;
  readonly value: Value;
  readonly options: readonly Option<Value>[];
  onChange(value: Value): void;
}

/** Alone, for tool bars: `label` is told to readers of screens only. */
export function Select<Value extends string>(props: SelectProps<Value> & Partial<FieldAttributes>) {
  const { id, label, value, options, onChange, disabled } = props;
  return (
    <select
      {...(id === undefined ? { 'aria-label': label } : { id })}
      {...(props['aria-describedby'] !== undefined && { 'aria-describedby': props['aria-describedby'] })}
      {...(props['aria-invalid'] && { 'aria-invalid': true })}
      disabled={disabled === true}
      value={value}
      onChange={({ currentTarget }) => {
        const chosen = options.find((each) => each.value === currentTarget.value);
        if (chosen) onChange(chosen.value);
      }}
    >
      {options.map((each) => (
        <option key={each.value} value={each.value}>
          {each.label}
        </option>
      ))}
    </select>
  );
}

/** Label and choice in one line. */
export function Choice<Value extends string>(props: Omit<SelectProps<Value>, 'id'> & { readonly label: string }) {
  const id = useId();
  return (
    <div class="choice-line">
      <label for={id}>{props.label}</label>
      <Select {...props} id={id} />
    </div>
  );
}

export function CheckField({ label, hint, disabled = false, name, value, onChange }: Labelled & FieldState<boolean>) {
  const id = useId();
  return (
    <div class="field check">
      <input
        id={id}
        name={name}
        type="checkbox"
        checked={value}
        disabled={disabled}
        {...(hint !== undefined && { 'aria-describedby': `${id}-more` })}
        onChange={({ currentTarget }) => onChange(currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {hint !== undefined && (
        <p id={`${id}-more`} class="hint">
          {hint}
        </p>
      )}
    </div>
  );
}
