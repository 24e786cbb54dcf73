import type { ConnectionShape } from '../../src/protocols/http/shapes/clients.ts';
import { count } from '../format/index.ts';
import { Button } from '../kit/button.tsx';
import { Page } from '../kit/page.tsx';
import { Notice } from '../kit/problem.tsx';
import { ServerTable } from '../kit/server-table.tsx';
import { url } from '../location.ts';
import { virtualHost } from '../virtual-host.ts';
import { clientWords } from '../words/clients.ts';
import { navigationWords } from '../words/navigation.ts';
import { closeConnections, mayClose } from './clients/close-connection.tsx';
import { connectionColumns } from './clients/columns.tsx';

/** Clients of all protocols. */
export function Connections() {
  const host = virtualHost.value;
  return (
    <Page title={navigationWords.connections}>
      <ServerTable<ConnectionShape>
        label={navigationWords.connections}
        name="connections"
        path={host === '' ? '/connections' : url`/vhosts/${host}/connections`}
        columns={connectionColumns()}
        rowKey={({ name }) => name}
        empty={<Notice icon="connection" title={clientWords.noConnections} />}
        bulk={(rows, clear) => <CloseSelected rows={rows} clear={clear} />}
      />
    </Page>
  );
}

function CloseSelected({ rows, clear }: { readonly rows: readonly ConnectionShape[]; clear(): void }) {
  const allowed = rows.every(mayClose);
  return (
    <Button
      kind="harm"
      disabled={!allowed}
      title={allowed ? undefined : clientWords.notYours}
      onClick={async () => {
        if (await closeConnections(rows)) clear();
      }}
    >
      {clientWords.closeMany(rows.length, count(rows.length))}
    </Button>
  );
}
