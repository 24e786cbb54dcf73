import type { GroupDetails } from '../../src/protocols/http/shapes/groups.ts';
import { api } from '../api/client.ts';
import { usePoll } from '../api/poll.ts';
import { count } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { needed } from '../kit/checks.ts';
import { confirm, Dialog, openDialog } from '../kit/dialog.tsx';
import { Facts, Figure, Figures, Panel } from '../kit/facts.tsx';
import { Form, SelectField, useForm } from '../kit/form.tsx';
import { History } from '../kit/history.tsx';
import { groupLag } from '../kit/message-charts.ts';
import { Page } from '../kit/page.tsx';
import { Loaded } from '../kit/problem.tsx';
import { Tabs } from '../kit/tabs.tsx';
import { notify } from '../kit/toast.tsx';
import { navigate, url } from '../location.ts';
import type { PageParameters } from '../registry.ts';
import { common } from '../words/common.ts';
import { consumerGroupWords, resetWords } from '../words/groups.ts';
import { navigationWords } from '../words/navigation.ts';
import { GroupState } from './groups/columns.tsx';
import { openReset } from './groups/reset.tsx';
import { Members, Offsets } from './groups/tables.tsx';

/** One group: who is in it, where it is, and how far behind. */
export function Group({ params: { group: name = '' } }: PageParameters) {
  const poll = usePoll<GroupDetails>(url`/groups/${name}`);
  const { data: group } = poll;
  return (
    <Page
      title={name}
      within={[{ title: navigationWords.groups, href: '/groups' }]}
      notes={group && <GroupState of={group.state} />}
      actions={group && <Actions group={group} />}
    >
      <Loaded of={poll}>
        {(loaded) => (
          <>
            <Figures>
              <Figure name={consumerGroupWords.lag} value={count(loaded.lag)} />
              <Figure name={consumerGroupWords.members} value={count(loaded.members)} />
              <Figure name={consumerGroupWords.streams} value={count(loaded.streams)} />
            </Figures>
            <History of="group" name={name} charts={groupLag} />
            <Tabs
              label={name}
              tabs={[
                {
                  id: 'offsets',
                  title: consumerGroupWords.offsets,
                  show: () => <Offsets group={name} share={loaded.type === 'share'} />,
                },
                {
                  id: 'members',
                  title: consumerGroupWords.members,
                  note: count(loaded.members),
                  show: () => <Members group={name} />,
                },
                { id: 'details', title: common.details, show: () => <GroupFacts group={loaded} /> },
              ]}
            />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function GroupFacts({ group: { type, protocol_type: protocol, assignor, epoch } }: { readonly group: GroupDetails }) {
  return (
    <Panel title={common.details}>
      <Facts
        of={[
          [common.type, consumerGroupWords[type]],
          [consumerGroupWords.protocol, protocol],
          [consumerGroupWords.assignor, assignor],
          [consumerGroupWords.epoch, epoch === null ? undefined : count(epoch)],
        ]}
      />
    </Panel>
  );
}

function Actions({ group: { name, members } }: { readonly group: GroupDetails }) {
  const busy = members > 0;
  const why = busy ? consumerGroupWords.hasMembers : undefined;
  return (
    <>
      <Button disabled={busy} title={why} onClick={async () => openReset(name, await streamsOf(name))}>
        {resetWords.title}
      </Button>
      <Button disabled={busy} title={why} onClick={async () => openForget(name, await streamsOf(name))}>
        {consumerGroupWords.forget}
      </Button>
      <Button
        kind="harm"
        icon="trash"
        disabled={busy}
        title={why}
        onClick={async () => {
          const { delete: title, deleteText } = consumerGroupWords;
          if (!(await confirm({ title, text: deleteText(name), action: common.delete }))) return;
          await api.remove(url`/groups/${name}`);
          notify(consumerGroupWords.deleted(name));
          navigate('/groups');
        }}
      >
        {consumerGroupWords.delete}
      </Button>
    </>
  );
}

/** Those that the group has offsets of. */
async function streamsOf(group: string): Promise<readonly string[]> {
  const offsets = await api.get<readonly { readonly stream: string }[]>(url`/groups/${group}/offsets`, {
    query: { columns: 'stream' },
  });
  return [...new Set(offsets.map(({ stream }) => stream))];
}

function openForget(group: string, streams: readonly string[]): Promise<unknown> {
  return openDialog<void>((close) => <Forget group={group} streams={streams} close={close} />);
}

interface ForgetProps {
  readonly group: string;
  readonly streams: readonly string[];
  close(): void;
}

function Forget({ group, streams, close }: ForgetProps) {
  const form = useForm({
    initial: { stream: streams[0] ?? '' },
    validate: ({ stream }) => ({ stream: needed(stream) }),
    submit: async ({ stream }) => {
      await api.remove(url`/groups/${group}/offsets/${stream}`);
      notify(consumerGroupWords.forgotten(stream));
      close();
    },
  });
  return (
    <Dialog title={consumerGroupWords.forget} onClose={close}>
      <Form
        form={form}
        action={consumerGroupWords.forget}
        harm
        buttons={<Button onClick={close}>{common.cancel}</Button>}
      >
        <SelectField
          label={consumerGroupWords.stream}
          hint={consumerGroupWords.forgetText(form.values.stream)}
          options={streams.map((value) => ({ value, label: value }))}
          {...form.field('stream')}
        />
      </Form>
    </Dialog>
  );
}
