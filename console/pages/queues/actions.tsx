import type { QueueShape } from '../../../src/protocols/http/shapes/topology.ts';
import { api } from '../../api/client.ts';
import { count } from '../../format/index.ts';
import { confirm } from '../../kit/dialog.tsx';
import { notify } from '../../kit/toast.tsx';
import { url } from '../../location.ts';
import { queueWords } from '../../words/queues.ts';

type Named = Pick<QueueShape, 'name' | 'vhost'>;

/** Asks first. True when it was done. */
export async function purgeQueues(queues: readonly Named[]): Promise<boolean> {
  const [first] = queues;
  const single = queues.length === 1 ? first?.name : undefined;
  const title = single === undefined ? queueWords.purgeMany(queues.length, count(queues.length)) : queueWords.purge;
  if (!(await confirm({ title, text: <Names of={queues} text={queueWords.purgeText} />, action: queueWords.purge })))
    return false;
  for (const { vhost, name } of queues) await api.remove(url`/queues/${vhost}/${name}/contents`);
  notify(queueWords.purged);
  return true;
}

/** Asks first; for one, its name has to be typed. True when it was done. */
export async function deleteQueues(queues: readonly Named[]): Promise<boolean> {
  const [first] = queues;
  const single = queues.length === 1 ? first?.name : undefined;
  const many = count(queues.length);
  const sure = await confirm({
    title: single === undefined ? queueWords.deleteMany(queues.length, many) : queueWords.delete,
    text: <Names of={queues} text={queueWords.deleteText} />,
    action: queueWords.delete,
    typed: single ?? many,
  });
  if (!sure) return false;
  for (const { vhost, name } of queues) await api.remove(url`/queues/${vhost}/${name}`);
  notify(single === undefined ? queueWords.deletedMany(queues.length, many) : queueWords.deleted);
  return true;
}

const NAMED = 10;

function Names({ of, text }: { readonly of: readonly Named[]; readonly text: string }) {
  return (
    <>
      <p>{text}</p>
      <p class="mono">
        {of
          .slice(0, NAMED)
          .map(({ name }) => name)
          .join(', ')}
        {of.length > NAMED && ' …'}
      </p>
    </>
  );
}
