import type { PermissionShape, TopicPermissionShape, UserShape } from '../../../src/protocols/http/shapes/access.ts';
import { api } from '../../api/client.ts';
import { Button } from '../../kit/button.tsx';
import { needed } from '../../kit/checks.ts';
import { Dialog, openDialog } from '../../kit/dialog.tsx';
import { CheckField, Form, TextField, useForm } from '../../kit/form.tsx';
import { notify } from '../../kit/toast.tsx';
import { url } from '../../location.ts';
import { userWords } from '../../words/administration.ts';
import { common } from '../../words/common.ts';

const TAGS = ['administrator', 'monitoring', 'policymaker', 'management'] as const;
type Flags = Readonly<Record<(typeof TAGS)[number], boolean>>;

/** Makes a user, or changes the tags and the password of one; its name when it is saved. */
export function editUser(user?: UserShape): Promise<string | undefined> {
  return openDialog<string>((close) => <EditUser user={user} close={close} />);
}

function EditUser({ user, close }: { readonly user: UserShape | undefined; close(name?: string): void }) {
  const flags = Object.fromEntries(TAGS.map((tag) => [tag, user?.tags.includes(tag) ?? false])) as Flags;
  const form = useForm({
    initial: { name: user?.name ?? '', password: '', repeat: '', ...flags },
    validate: ({ name, password, repeat }) => ({
      name: needed(name),
      repeat: password === repeat ? undefined : userWords.notTheSame,
    }),
    submit: async ({ name, password, repeat: _, ...chosen }) => {
      const others = (user?.tags ?? []).filter((tag) => !TAGS.some((each) => each === tag));
      const tags = [...TAGS.filter((tag) => chosen[tag]), ...others];
      // Who has no password in the request loses the one that there is, as in RabbitMQ.
      const kept =
        user && user.password_hash !== ''
          ? { password_hash: user.password_hash, hashing_algorithm: user.hashing_algorithm }
          : {};
      await api.put(url`/users/${name}`, { tags, ...(password === '' ? kept : { password }) });
      notify(userWords.saved(name));
      close(name);
    },
  });
  return (
    <Dialog title={user?.name ?? userWords.addUser} onClose={close}>
      <Form form={form} action={common.save} buttons={<Button onClick={() => close()}>{common.cancel}</Button>}>
        {user === undefined && <TextField label={common.name} required {...form.field('name')} />}
        <TextField
          label={user === undefined ? userWords.password : userWords.newPassword}
          hint={user === undefined ? userWords.passwordHint : userWords.keepPassword}
          type="password"
          autocomplete="new-password"
          {...form.field('password')}
        />
        <TextField label={userWords.repeat} type="password" autocomplete="new-password" {...form.field('repeat')} />
        <fieldset class="field">
          <legend>{userWords.tags}</legend>
          <p class="hint">{userWords.tagsHint}</p>
          {TAGS.map((tag) => (
            <CheckField key={tag} label={tag} {...form.field(tag)} />
          ))}
        </fieldset>
      </Form>
    </Dialog>
  );
}

interface PermissionsProps<Shape> {
  readonly user: string;
  /** To be changed; new ones unless given. */
  readonly of: Shape | undefined;
  readonly hosts: readonly string[];
}

export async function setPermissions(props: PermissionsProps<PermissionShape>): Promise<void> {
  await openDialog<void>((close) => <SetPermissions {...props} close={close} />);
}

function SetPermissions({ user, of, hosts, close }: PermissionsProps<PermissionShape> & { close(): void }) {
  const form = useForm({
    initial: of ?? { vhost: '/', configure: '.*', write: '.*', read: '.*' },
    validate: ({ vhost }) => ({ vhost: needed(vhost) }),
    submit: async ({ vhost, configure, write, read }) => {
      await api.put(url`/permissions/${vhost}/${user}`, { configure, write, read });
      notify(userWords.saved(user));
      close();
    },
  });
  return (
    <Dialog title={userWords.setPermissions} onClose={close}>
      <Form form={form} action={common.save} buttons={<Button onClick={close}>{common.cancel}</Button>}>
        <TextField
          label={common.virtualHost}
          required
          disabled={of !== undefined}
          suggestions={hosts}
          {...form.field('vhost')}
        />
        <TextField label={userWords.configure} hint={userWords.patternHint} monospace {...form.field('configure')} />
        <TextField label={userWords.write} monospace {...form.field('write')} />
        <TextField label={userWords.read} monospace {...form.field('read')} />
      </Form>
    </Dialog>
  );
}

export async function setTopicPermissions(props: PermissionsProps<TopicPermissionShape>): Promise<void> {
  await openDialog<void>((close) => <SetTopicPermissions {...props} close={close} />);
}

function SetTopicPermissions({ user, of, hosts, close }: PermissionsProps<TopicPermissionShape> & { close(): void }) {
  const form = useForm({
    initial: of ?? { vhost: '/', exchange: 'amq.topic', write: '.*', read: '.*' },
    validate: ({ vhost, exchange }) => ({ vhost: needed(vhost), exchange: needed(exchange) }),
    submit: async ({ vhost, exchange, write, read }) => {
      await api.put(url`/topic-permissions/${vhost}/${user}`, { exchange, write, read });
      notify(userWords.saved(user));
      close();
    },
  });
  const isGiven = of !== undefined;
  return (
    <Dialog title={userWords.setTopicPermissions} onClose={close}>
      <Form form={form} action={common.save} buttons={<Button onClick={close}>{common.cancel}</Button>}>
        <TextField
          label={common.virtualHost}
          required
          disabled={isGiven}
          suggestions={hosts}
          {...form.field('vhost')}
        />
        <TextField label={userWords.exchange} required disabled={isGiven} {...form.field('exchange')} />
        <TextField label={userWords.write} hint={userWords.topicHint} monospace {...form.field('write')} />
        <TextField label={userWords.read} monospace {...form.field('read')} />
      </Form>
    </Dialog>
  );
}
