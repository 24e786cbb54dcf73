import type { ReloadShape, SettingShape } from '../../src/protocols/http/shapes/settings.ts';
import { api, request } from '../api/client.ts';
import { Button } from '../kit/button.tsx';
import { confirm, openDialog } from '../kit/dialog.tsx';
import { Badge, Panel, YesNo } from '../kit/facts.tsx';
import { Field } from '../kit/form.tsx';
import { Page } from '../kit/page.tsx';
import { ServerTable } from '../kit/server-table.tsx';
import type { Column } from '../kit/table.tsx';
import { notify, notifyError } from '../kit/toast.tsx';
import { download } from '../kit/viewer.tsx';
import { operationWords } from '../words/administration.ts';
import { common } from '../words/common.ts';
import { SettingForm, settingText } from './administration/setting-form.tsx';

/** All that can be set: what counts, and where from. */
export function Settings() {
  return (
    <Page
      title={operationWords.settings}
      actions={
        <>
          <Button icon="refresh" onClick={reload}>
            {operationWords.reload}
          </Button>
          <Button icon="download" onClick={supportBundle}>
            {operationWords.bundle}
          </Button>
        </>
      }
    >
      <ServerTable<SettingShape>
        label={operationWords.settings}
        name="settings"
        path="/settings"
        columns={columns()}
        rowKey={({ name }) => name}
        every={0}
      />
      <Definitions />
    </Page>
  );
}

async function reload(): Promise<void> {
  const { changed, needs_restart: restart } = await api.post<ReloadShape>('/settings/reload', {});
  notify(operationWords.reloaded(changed.length, restart.join(', ')));
}

async function supportBundle(): Promise<void> {
  const response = await request('GET', '/support-bundle');
  const [, name = 'sluice-support.tar.gz'] =
    /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '') ?? [];
  download(name, await response.blob(), 'application/gzip');
}

function columns(): readonly Column<SettingShape>[] {
  return [
    { id: 'name', title: common.name, sort: 'name', cell: ({ name }) => <span class="mono">{name}</span> },
    { id: 'value', title: common.value, cell: (setting) => <SettingValue of={setting} /> },
    {
      ...{ id: 'default', title: operationWords.default, hidden: true },
      cell: ({ default: usual }) => settingText(usual),
    },
    {
      ...{ id: 'source', title: operationWords.source, sort: 'source' },
      cell: ({ source }) => <Badge tone={source === 'default' ? 'plain' : 'info'}>{sourceText(source)}</Badge>,
    },
    {
      ...{ id: 'dynamic', title: operationWords.changeable, sort: 'dynamic' },
      cell: ({ dynamic }) => <YesNo value={dynamic} />,
    },
    { id: 'description', title: operationWords.description, cell: ({ description }) => withCode(description) },
    { id: 'variable', title: operationWords.fromEnvironment, hidden: true, cell: ({ variable }) => variable },
    {
      ...{ id: 'actions', title: common.actions },
      cell: (setting) =>
        setting.dynamic && (
          <Button
            label={operationWords.changeTitle(setting.name)}
            icon="settings"
            onClick={() => openDialog<void>((close) => <SettingForm setting={setting} close={close} />)}
          />
        ),
    },
  ];
}

/** What stands between backquotes is code. */
function withCode(text: string) {
  return text.split('`').map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part));
}

function SettingValue({ of: { value, secret } }: { readonly of: SettingShape }) {
  if (secret) return <span class="muted">{operationWords.hidden}</span>;
  if (value === null) return <span class="muted">{operationWords.unset}</span>;
  return <span class="mono">{settingText(value)}</span>;
}

function sourceText(source: SettingShape['source']): string {
  return {
    default: operationWords.fromDefault,
    file: operationWords.fromFile,
    environment: operationWords.fromEnvironment,
    flag: operationWords.fromFlag,
    program: operationWords.fromProgram,
    dynamic: operationWords.fromDynamic,
  }[source];
}

function Definitions() {
  return (
    <Panel title={operationWords.definitions}>
      <p class="hint">{operationWords.definitionsText}</p>
      <div class="bar">
        <Button
          icon="download"
          onClick={async () => {
            const response = await request('GET', '/definitions');
            download('sluice-definitions.json', await response.blob(), 'application/json');
          }}
        >
          {operationWords.export}
        </Button>
      </div>
      <Field label={operationWords.importFile} error={undefined}>
        {(attributes) => (
          <input
            {...attributes}
            type="file"
            accept="application/json,.json"
            onChange={({ currentTarget }) => {
              const [file] = currentTarget.files ?? [];
              if (file) void importDefinitions(file);
              currentTarget.value = '';
            }}
          />
        )}
      </Field>
    </Panel>
  );
}

async function importDefinitions(file: File): Promise<void> {
  const [title, text] = [operationWords.importTitle(file.name), operationWords.importText];
  try {
    const definitions: unknown = parsed(await file.text());
    if (!(await confirm({ title, text, action: operationWords.import, harm: false }))) return;
    await api.post('/definitions', definitions);
    notify(operationWords.imported);
  } catch (error) {
    notifyError(error);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(operationWords.notDefinitions);
  }
}
