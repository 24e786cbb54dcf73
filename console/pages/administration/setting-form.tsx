import type { SettingShape } from '../../../src/protocols/http/shapes/settings.ts';
import { api } from '../../api/client.ts';
import { Button } from '../../kit/button.tsx';
import { needed } from '../../kit/checks.ts';
import { Dialog } from '../../kit/dialog.tsx';
import { Form, SelectField, TextField, useForm } from '../../kit/form.tsx';
import { notify } from '../../kit/toast.tsx';
import { url } from '../../location.ts';
import { operationWords } from '../../words/administration.ts';
import { common } from '../../words/common.ts';

/** As people write it. */
export function settingText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.map(settingText).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

interface SettingFormProps {
  readonly setting: SettingShape;
  close(): void;
}

/** Of one that can be changed while the broker runs. */
export function SettingForm({ setting: { name, value, choices, description, source }, close }: SettingFormProps) {
  const done = () => {
    notify(operationWords.changed(name));
    close();
  };
  const form = useForm({
    initial: { value: settingText(value) },
    // Of some texts an empty one is none.
    validate: ({ value: text }) => ({
      value: choices === null && typeof value === 'number' ? needed(text) : undefined,
    }),
    submit: async ({ value: text }) => {
      await api.put(url`/settings/${name}`, { value: text });
      done();
    },
  });
  const options = choices?.map((each) => ({ value: each, label: each }));
  return (
    <Dialog title={operationWords.changeTitle(name)} onClose={close}>
      <Form
        form={form}
        action={common.save}
        buttons={
          source === 'dynamic' && (
            <Button
              onClick={async () => {
                await api.remove(url`/settings/${name}`);
                done();
              }}
            >
              {operationWords.takeBack}
            </Button>
          )
        }
      >
        {options ? (
          <SelectField label={common.value} hint={description} options={options} {...form.field('value')} />
        ) : (
          <TextField label={common.value} hint={description} {...form.field('value')} />
        )}
      </Form>
    </Dialog>
  );
}
