import type { VNode } from 'preact';
import type { ShownTransfer, TransferSkip } from '../../../src/protocols/http/shapes/queue-messages.ts';
import { api } from '../../api/client.ts';
import { usePoll } from '../../api/poll.ts';
import { count } from '../../format/index.ts';
import { Button } from '../../kit/button.tsx';
import { Dialog, openDialog } from '../../kit/dialog.tsx';
import { Badge, type Fact, Facts, type Tone } from '../../kit/facts.tsx';
import { url } from '../../location.ts';
import { common } from '../../words/common.ts';
import { transferWords } from '../../words/queues.ts';

const FOLLOW_MS = 500;
const TONES: Readonly<Record<ShownTransfer['state'], Tone>> = {
  ...{ running: 'info', done: 'good', stopped: 'warn', failed: 'bad' },
};

/**
 * Opens a dialog that begins a transfer, then shows how far that is until it is closed, which does not stop it. True when something was begun.
 */
export async function transferBy(show: (close: (begun?: ShownTransfer) => void) => VNode): Promise<boolean> {
  const transfer = await openDialog<ShownTransfer>(show);
  if (transfer === undefined) return false;
  await openDialog<void>((close) => <TransferDialog transfer={transfer} close={close} />);
  return true;
}

function TransferDialog({ transfer: begun, close }: { readonly transfer: ShownTransfer; close(): void }) {
  const { data } = usePoll<ShownTransfer>(url`/transfers/${begun.id}`, { every: FOLLOW_MS });
  const transfer = data ?? begun;
  const { state, dry_run: dry, error } = transfer;
  return (
    <Dialog title={transfer.kind === 'move' ? transferWords.moving : transferWords.redriving} onClose={close}>
      <p class="dialog-text">
        {transfer.source} → {transfer.destination}{' '}
        <Badge tone={TONES[state]}>{dry && state === 'done' ? transferWords.counted : transferWords[state]}</Badge>
      </p>
      <Progress of={transfer} />
      {error !== null && (
        <p class="form-failure" role="alert">
          {error}
        </p>
      )}
      <div aria-live="polite">
        <Facts of={factsOf(transfer)} />
      </div>
      <footer class="buttons">
        {state === 'running' && (
          <Button kind="harm" onClick={() => api.remove(url`/transfers/${transfer.id}`)}>
            {transferWords.stop}
          </Button>
        )}
        <Button kind="primary" onClick={close}>
          {common.close}
        </Button>
      </footer>
    </Dialog>
  );
}

function Progress({ of: { state, total, looked_at: looked } }: { readonly of: ShownTransfer }) {
  if (state !== 'running') return <progress aria-label={transferWords.lookedAt} value={1} max={1} />;
  if (total === null) return <progress aria-label={transferWords.lookedAt} />;
  return <progress aria-label={transferWords.lookedAt} value={looked} max={Math.max(total, 1)} />;
}

function factsOf(transfer: ShownTransfer): readonly Fact[] {
  const { looked_at: looked, matched, moved, copied, skipped, targets, other_targets: others } = transfer;
  return [
    [transferWords.lookedAt, count(looked)],
    [transferWords.matched, count(matched)],
    [transferWords.moved, transfer.dry_run ? undefined : count(moved)],
    [transferWords.copied, copied === 0 ? undefined : count(copied)],
    ...(Object.entries(skipped) as [TransferSkip, number][]).map(
      ([reason, many]): Fact => [`${transferWords.left}: ${transferWords[`skip-${reason}`]}`, count(many)],
    ),
    ...Object.entries(targets).map(
      ([queue, many]): Fact => [
        `${transfer.dry_run ? transferWords.wouldGoTo : transferWords.targets} ${queue}`,
        count(many),
      ],
    ),
    [transferWords.others, others === 0 ? undefined : count(others)],
  ];
}
