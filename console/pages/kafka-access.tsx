import type { AclInfoShape, AclShape, QuotaShape } from '../../src/protocols/http/shapes/access.ts';
import { api } from '../api/client.ts';
import { usePoll } from '../api/poll.ts';
import { count } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { confirm, openDialog } from '../kit/dialog.tsx';
import { Badge } from '../kit/facts.tsx';
import { Page } from '../kit/page.tsx';
import { Notice } from '../kit/problem.tsx';
import { ServerTable } from '../kit/server-table.tsx';
import type { Column } from '../kit/table.tsx';
import { Tabs } from '../kit/tabs.tsx';
import { notify } from '../kit/toast.tsx';
import { kafkaAccessWords, userWords } from '../words/administration.ts';
import { common } from '../words/common.ts';
import { AclForm, QuotaForm } from './administration/kafka-access-forms.tsx';

/** What clients of Kafka may do and use, which is in no virtual host. */
export function KafkaAccess() {
  return (
    <Page title={kafkaAccessWords.title}>
      <Tabs
        label={kafkaAccessWords.title}
        tabs={[
          { id: 'acls', title: kafkaAccessWords.acls, show: () => <Acls /> },
          { id: 'quotas', title: kafkaAccessWords.quotas, show: () => <Quotas /> },
        ]}
      />
    </Page>
  );
}

function Acls() {
  const info = usePoll<AclInfoShape>('/acls/info', { every: 0 });
  return (
    <>
      {info.data?.enabled === false && <p class="hint">{kafkaAccessWords.off}</p>}
      <ServerTable<AclShape>
        label={kafkaAccessWords.acls}
        name="acls"
        path="/acls"
        columns={aclColumns()}
        rowKey={(acl) => JSON.stringify(acl)}
        empty={<Notice icon="policy" title={kafkaAccessWords.noAcls} />}
        tools={
          <Button
            icon="plus"
            disabled={info.data === undefined}
            onClick={async () => {
              const { data } = info;
              if (data) await openDialog<void>((close) => <AclForm info={data} close={close} />);
            }}
          >
            {kafkaAccessWords.addAcl}
          </Button>
        }
        bulk={(acls, clear) => (
          <Button kind="harm" icon="trash" onClick={() => deleteAcls(acls, clear)}>
            {kafkaAccessWords.deleteMany(acls.length)}
          </Button>
        )}
      />
    </>
  );
}

async function deleteAcls(acls: readonly AclShape[], clear: () => void): Promise<void> {
  const title = kafkaAccessWords.deleteMany(acls.length);
  if (!(await confirm({ title, text: kafkaAccessWords.deleteText, action: common.delete }))) return;
  for (const acl of acls) await api.post('/acls/delete', acl);
  notify(userWords.deleted);
  clear();
}

function aclColumns(): readonly Column<AclShape>[] {
  return [
    { id: 'principal', title: kafkaAccessWords.principal, sort: 'principal', cell: ({ principal }) => principal },
    {
      ...{ id: 'permission', title: kafkaAccessWords.permission, sort: 'permission' },
      cell: ({ permission }) => <Badge tone={permission === 'deny' ? 'bad' : 'good'}>{permission}</Badge>,
    },
    { id: 'operation', title: kafkaAccessWords.operation, sort: 'operation', cell: ({ operation }) => operation },
    {
      ...{ id: 'resource', title: kafkaAccessWords.resource, sort: 'resource_name' },
      cell: ({ resource_type: type, resource_name: name, pattern }) => (
        <>
          {type} <code>{pattern === 'prefixed' ? `${name}…` : name}</code>
        </>
      ),
    },
    { id: 'host', title: kafkaAccessWords.host, sort: 'host', cell: ({ host }) => host },
  ];
}

function Quotas() {
  return (
    <ServerTable<QuotaShape>
      label={kafkaAccessWords.quotas}
      name="quotas"
      prefix="q"
      path="/quotas"
      columns={[
        { id: 'entity', title: kafkaAccessWords.entity, sort: 'name', cell: ({ name }) => name },
        {
          ...{ id: 'values', title: kafkaAccessWords.limits },
          cell: ({ values }) =>
            Object.entries(values).map(([key, value]) => (
              <div key={key}>
                {key}: {count(value)}
              </div>
            )),
        },
        {
          ...{ id: 'actions', title: common.actions },
          cell: (quota) => <Button onClick={() => editQuota(quota)}>{common.edit}</Button>,
        },
      ]}
      rowKey={({ name }) => name}
      empty={<Notice icon="policy" title={kafkaAccessWords.noQuotas} />}
      tools={
        <Button icon="plus" onClick={() => editQuota(undefined)}>
          {kafkaAccessWords.addQuota}
        </Button>
      }
    />
  );
}

async function editQuota(quota: QuotaShape | undefined): Promise<void> {
  await openDialog<void>((close) => <QuotaForm quota={quota} close={close} />);
}
