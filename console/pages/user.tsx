import type {
  PermissionShape,
  ScramShape,
  TopicPermissionShape,
  UserShape,
} from '../../src/protocols/http/shapes/access.ts';
import { api } from '../api/client.ts';
import { type Polled, usePoll } from '../api/poll.ts';
import { count } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { confirm } from '../kit/dialog.tsx';
import { Facts, Panel } from '../kit/facts.tsx';
import { LocalTable } from '../kit/local-table.tsx';
import { Page } from '../kit/page.tsx';
import { Loaded, Notice } from '../kit/problem.tsx';
import { notify } from '../kit/toast.tsx';
import { navigate, url } from '../location.ts';
import type { PageParameters } from '../registry.ts';
import { userWords } from '../words/administration.ts';
import { common } from '../words/common.ts';
import { editUser, setPermissions, setTopicPermissions } from './administration/user-forms.tsx';
import { UserTags } from './users.tsx';

/** One user, and what it may do. */
export function User({ params: { user: name = '' } }: PageParameters) {
  const user = usePoll<UserShape>(url`/users/${name}`);
  const permissions = usePoll<readonly PermissionShape[]>(url`/users/${name}/permissions`);
  const topics = usePoll<readonly TopicPermissionShape[]>(url`/users/${name}/topic-permissions`);
  const scram = usePoll<readonly ScramShape[]>(url`/users/${name}/scram`);
  const hosts = usePoll<readonly { readonly name: string }[]>('/vhosts', { query: { columns: 'name' }, every: 0 });
  const hostNames = hosts.data?.map((host) => host.name) ?? [];
  return (
    <Page title={name} within={[{ title: userWords.users, href: '/users' }]} actions={<Actions user={user.data} />}>
      <Loaded of={user}>
        {({ tags, password_hash }) => (
          <>
            <Facts
              of={[
                [userWords.tags, <UserTags key="tags" of={tags} />],
                [userWords.hasPassword, password_hash !== ''],
              ]}
            />
            <Permissions user={name} hosts={hostNames} of={permissions} />
            <TopicPermissions user={name} hosts={hostNames} of={topics} />
            <Scram user={name} of={scram} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Actions({ user }: { readonly user: UserShape | undefined }) {
  if (user === undefined) return null;
  const { name } = user;
  return (
    <>
      <Button onClick={() => editUser(user)}>{common.edit}</Button>
      <Button
        kind="harm"
        icon="trash"
        onClick={async () => {
          const [title, text] = [userWords.deleteTitle(name), userWords.deleteText];
          if (!(await confirm({ title, text, action: common.delete }))) return;
          await api.remove(url`/users/${name}`);
          notify(userWords.deleted);
          navigate('/users');
        }}
      >
        {common.delete}
      </Button>
    </>
  );
}

interface PartProps<Shape> {
  readonly user: string;
  readonly hosts: readonly string[];
  readonly of: Polled<readonly Shape[]>;
}

function Permissions({ user, hosts, of }: PartProps<PermissionShape>) {
  return (
    <Panel
      title={userWords.permissions}
      actions={
        <Button icon="plus" onClick={() => setPermissions({ user, hosts, of: undefined })}>
          {userWords.setPermissions}
        </Button>
      }
    >
      <Loaded of={of}>
        {(rows) => (
          <LocalTable<PermissionShape>
            label={userWords.permissions}
            rows={rows}
            rowKey={({ vhost }) => vhost}
            empty={<Notice icon="user" title={userWords.noPermissions} />}
            columns={[
              { id: 'vhost', title: common.virtualHost, sort: 'vhost', cell: ({ vhost }) => vhost },
              { id: 'configure', title: userWords.configure, cell: ({ configure }) => <Pattern of={configure} /> },
              { id: 'write', title: userWords.write, cell: ({ write }) => <Pattern of={write} /> },
              { id: 'read', title: userWords.read, cell: ({ read }) => <Pattern of={read} /> },
              {
                ...{ id: 'actions', title: common.actions },
                cell: (row) => (
                  <RowActions
                    of={row.vhost}
                    edit={() => setPermissions({ user, hosts, of: row })}
                    remove={() => api.remove(url`/permissions/${row.vhost}/${user}`)}
                  />
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </Panel>
  );
}

function TopicPermissions({ user, hosts, of }: PartProps<TopicPermissionShape>) {
  return (
    <Panel
      title={userWords.topicPermissions}
      actions={
        <Button icon="plus" onClick={() => setTopicPermissions({ user, hosts, of: undefined })}>
          {userWords.setTopicPermissions}
        </Button>
      }
    >
      <Loaded of={of}>
        {(rows) => (
          <LocalTable<TopicPermissionShape>
            label={userWords.topicPermissions}
            rows={rows}
            rowKey={({ vhost, exchange }) => `${vhost} ${exchange}`}
            columns={[
              { id: 'vhost', title: common.virtualHost, sort: 'vhost', cell: ({ vhost }) => vhost },
              { id: 'exchange', title: userWords.exchange, sort: 'exchange', cell: ({ exchange }) => exchange },
              { id: 'write', title: userWords.write, cell: ({ write }) => <Pattern of={write} /> },
              { id: 'read', title: userWords.read, cell: ({ read }) => <Pattern of={read} /> },
              {
                ...{ id: 'actions', title: common.actions },
                cell: (row) => (
                  <RowActions
                    of={`${row.vhost} ${row.exchange}`}
                    edit={() => setTopicPermissions({ user, hosts, of: row })}
                    remove={() => api.remove(url`/topic-permissions/${row.vhost}/${user}/${row.exchange}`)}
                  />
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </Panel>
  );
}

function Scram({ user, of }: Omit<PartProps<ScramShape>, 'hosts'>) {
  return (
    <Panel title={userWords.scram}>
      <Loaded of={of}>
        {(rows) => (
          <LocalTable<ScramShape>
            label={userWords.scram}
            rows={rows}
            rowKey={({ mechanism }) => mechanism}
            empty={<Notice title={userWords.noScram} />}
            columns={[
              { id: 'mechanism', title: userWords.mechanism, cell: ({ mechanism }) => mechanism },
              {
                ...{ id: 'iterations', title: userWords.iterations, align: 'end' },
                cell: ({ iterations }) => count(iterations),
              },
              {
                ...{ id: 'actions', title: common.actions },
                cell: ({ mechanism }) => (
                  <RowActions of={mechanism} remove={() => api.remove(url`/users/${user}/scram/${mechanism}`)} />
                ),
              },
            ]}
          />
        )}
      </Loaded>
    </Panel>
  );
}

function Pattern({ of }: { readonly of: string }) {
  return of === '' ? <span class="muted">{common.none}</span> : <code class="mono">{of}</code>;
}

interface RowActionsProps {
  readonly of: string;
  edit?(): unknown;
  remove(): Promise<unknown>;
}

function RowActions({ of, edit, remove }: RowActionsProps) {
  return (
    <span class="buttons">
      {edit && <Button onClick={edit}>{common.edit}</Button>}
      <Button
        kind="quiet"
        icon="trash"
        label={`${userWords.clear}: ${of}`}
        onClick={async () => {
          if (!(await confirm({ title: `${userWords.clear}: ${of}`, text: '', action: userWords.clear }))) return;
          await remove();
          notify(userWords.deleted);
        }}
      />
    </span>
  );
}
