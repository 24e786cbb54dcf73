import { useEffect } from 'preact/hooks';
import { ApiError } from '../api/errors.ts';
import { logIn } from '../api/login.ts';
import { ended } from '../api/session.ts';
import { needed } from '../kit/checks.ts';
import { Form, TextField, useForm } from '../kit/form.tsx';
import { Icon } from '../kit/icon.tsx';
import { loginWords } from '../words/layout.ts';
import { Mark, Preferences } from './top-bar.tsx';

/** Stands in the place of whatever page was asked for: after it, that is shown. */
export function Login() {
  const form = useForm({
    initial: { username: '', password: '' },
    validate: ({ username }) => ({ username: needed(username) }),
    submit: async ({ username, password }) => {
      try {
        await logIn(username, password);
      } catch (error) {
        throw explained(error);
      }
    },
  });
  useEffect(() => {
    document.title = `${loginWords.title} · Sluice`;
  }, [loginWords.title]);
  return (
    <main class="login">
      <div class="login-card">
        <p class="brand">
          <Mark /> Sluice
        </p>
        <h1>{loginWords.title}</h1>
        <p class="muted">{loginWords.lead}</p>
        {ended.value && (
          <p class="form-note" role="status">
            <Icon name="info" />
            {loginWords.ended}
          </p>
        )}
        <Form form={form} action={loginWords.logIn}>
          <TextField label={loginWords.username} autocomplete="username" {...form.field('username')} />
          <TextField
            label={loginWords.password}
            type="password"
            autocomplete="current-password"
            {...form.field('password')}
          />
        </Form>
        <Preferences />
      </div>
    </main>
  );
}

/** The broker says no more than that it failed. */
function explained(error: unknown): unknown {
  if (!(error instanceof ApiError)) return error;
  if (error.status === 429) return told(error, loginWords.tooMany);
  if (error.failure === 'signed-out') return told(error, loginWords.wrong);
  return error.failure === 'refused' ? told(error, loginWords.noTag) : error;
}

function told({ status }: ApiError, text: string): ApiError {
  return new ApiError('told', status, text);
}
