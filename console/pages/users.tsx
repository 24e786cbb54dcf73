import type { UserShape } from '../../src/protocols/http/shapes/access.ts';
import { api } from '../api/client.ts';
import { Button } from '../kit/button.tsx';
import { confirm } from '../kit/dialog.tsx';
import { Badge, YesNo } from '../kit/facts.tsx';
import { Page } from '../kit/page.tsx';
import { ServerTable } from '../kit/server-table.tsx';
import type { Column } from '../kit/table.tsx';
import { notify } from '../kit/toast.tsx';
import { navigate, url } from '../location.ts';
import { userWords } from '../words/administration.ts';
import { common } from '../words/common.ts';
import { editUser } from './administration/user-forms.tsx';

/** Who may come in. */
export function Users() {
  return (
    <Page
      title={userWords.users}
      actions={
        <Button
          icon="plus"
          kind="primary"
          onClick={async () => {
            const name = await editUser();
            if (name !== undefined) navigate(url`/users/${name}`);
          }}
        >
          {userWords.addUser}
        </Button>
      }
    >
      <ServerTable<UserShape>
        label={userWords.users}
        name="users"
        path="/users"
        columns={columns()}
        rowKey={({ name }) => name}
        bulk={(users, clear) => (
          <Button kind="harm" icon="trash" onClick={() => deleteUsers(users, clear)}>
            {userWords.deleteMany(users.length)}
          </Button>
        )}
      />
    </Page>
  );
}

async function deleteUsers(users: readonly UserShape[], clear: () => void): Promise<void> {
  const title = userWords.deleteMany(users.length);
  if (!(await confirm({ title, text: userWords.deleteText, action: common.delete }))) return;
  await api.post('/users/bulk-delete', { users: users.map(({ name }) => name) });
  notify(userWords.deleted);
  clear();
}

function columns(): readonly Column<UserShape>[] {
  return [
    {
      ...{ id: 'name', title: common.name, sort: 'name' },
      cell: ({ name }) => <a href={url`/users/${name}`}>{name}</a>,
    },
    { id: 'tags', title: userWords.tags, cell: ({ tags }) => <UserTags of={tags} /> },
    {
      ...{ id: 'password', title: userWords.hasPassword },
      cell: ({ password_hash }) => <YesNo value={password_hash !== ''} />,
    },
  ];
}

export function UserTags({ of }: { readonly of: readonly string[] }) {
  if (of.length === 0) return <span class="muted">{userWords.noTags}</span>;
  return (
    <span class="badges">
      {of.map((tag) => (
        <Badge key={tag} tone={tag === 'administrator' ? 'warn' : 'info'}>
          {tag}
        </Badge>
      ))}
    </span>
  );
}
