import type { GroupSummary } from '../../src/protocols/http/shapes/groups.ts';
import { Page } from '../kit/page.tsx';
import { Notice } from '../kit/problem.tsx';
import { ServerTable } from '../kit/server-table.tsx';
import { consumerGroupWords } from '../words/groups.ts';
import { navigationWords } from '../words/navigation.ts';
import { groupColumns } from './groups/columns.tsx';

/** Groups of consumers, of all kinds. */
export function Groups() {
  return (
    <Page title={navigationWords.groups}>
      <ServerTable<GroupSummary>
        label={navigationWords.groups}
        name="groups"
        path="/groups"
        columns={groupColumns()}
        rowKey={({ name }) => name}
        empty={<Notice icon="group" title={consumerGroupWords.noGroups} />}
      />
    </Page>
  );
}
