import type { PolicyShape } from '../../src/protocols/http/shapes/access.ts';
import { api } from '../api/client.ts';
import { may } from '../api/session.ts';
import { count } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { confirm, openDialog } from '../kit/dialog.tsx';
import { JsonFacts } from '../kit/facts.tsx';
import { Page } from '../kit/page.tsx';
import { Notice } from '../kit/problem.tsx';
import { ServerTable } from '../kit/server-table.tsx';
import type { Column } from '../kit/table.tsx';
import { notify } from '../kit/toast.tsx';
import { url } from '../location.ts';
import { virtualHost } from '../virtual-host.ts';
import { hostWords, userWords } from '../words/administration.ts';
import { common } from '../words/common.ts';
import { PolicyForm } from './administration/policy-form.tsx';

/** What queues and exchanges have by their names. */
export function Policies() {
  const host = virtualHost.value;
  const allowed = may('policymaker');
  return (
    <Page
      title={hostWords.policies}
      actions={
        <Button
          icon="plus"
          kind="primary"
          disabled={!allowed}
          title={allowed ? undefined : hostWords.needsPolicymaker}
          onClick={() => edit(undefined)}
        >
          {hostWords.addPolicy}
        </Button>
      }
    >
      <ServerTable<PolicyShape>
        label={hostWords.policies}
        name="policies"
        path={host === '' ? '/policies' : url`/policies/${host}`}
        columns={columns(allowed)}
        rowKey={({ vhost, name }) => `${vhost} ${name}`}
        empty={<Notice icon="policy" title={hostWords.noPolicies} />}
      />
    </Page>
  );
}

async function edit(policy: PolicyShape | undefined): Promise<void> {
  await openDialog<void>((close) => <PolicyForm policy={policy} close={close} />);
}

async function deletePolicy({ vhost, name }: PolicyShape): Promise<void> {
  const [title, text] = [hostWords.deletePolicyTitle(name), hostWords.deletePolicyText];
  if (!(await confirm({ title, text, action: common.delete }))) return;
  await api.remove(url`/policies/${vhost}/${name}`);
  notify(userWords.deleted);
}

function columns(allowed: boolean): readonly Column<PolicyShape>[] {
  const actions: Column<PolicyShape> = {
    ...{ id: 'actions', title: common.actions },
    cell: (policy) => (
      <span class="buttons">
        <Button onClick={() => edit(policy)}>{common.edit}</Button>
        <Button
          kind="quiet"
          icon="trash"
          label={hostWords.deletePolicyTitle(policy.name)}
          onClick={() => deletePolicy(policy)}
        />
      </span>
    ),
  };
  return [
    { id: 'name', title: common.name, sort: 'name', cell: ({ name }) => name },
    { id: 'vhost', title: common.virtualHost, sort: 'vhost', cell: ({ vhost }) => vhost },
    { id: 'pattern', title: hostWords.pattern, sort: 'pattern', cell: ({ pattern }) => <code>{pattern}</code> },
    { id: 'apply-to', title: hostWords.applyTo, sort: 'apply-to', cell: (policy) => policy['apply-to'] },
    {
      ...{ id: 'priority', title: hostWords.priority, sort: 'priority', align: 'end' },
      cell: ({ priority }) => count(priority),
    },
    {
      ...{ id: 'definition', title: hostWords.definition },
      cell: ({ definition }) => <JsonFacts value={definition} />,
    },
    ...(allowed ? [actions] : []),
  ];
}
