import type { Transfer } from '../../../broker/index.ts';
import { isAdministrator, reachableHosts } from '../access.ts';
import { notAuthorised } from '../errors.ts';
import type { Shown } from '../listing.ts';
import { type Call, found, get, getList, ok, type Route, remove } from '../route.ts';
import { showTransfer } from '../transfer-requests.ts';

export const transferRoutes: readonly Route[] = [
  getList(
    '/transfers',
    { access: 'user', summary: 'Messages that are moved, or dead letters brought back: under way, and lately' },
    (call) => {
      const show = (transfer: Transfer): Shown => ({ ...showTransfer(transfer) });
      const items = call.broker.transfers.all().filter((transfer) => sees(call, transfer));
      // Newest first, unless the query says otherwise.
      const shown = items.map(show);
      const same = (item: Shown) => item;
      return { items: shown, basics: same, show: same, order: [], paged: true };
    },
  ),
  get('/transfers/:id', { access: 'user', summary: 'How far one is' }, (call) => showTransfer(transferOf(call))),
  remove('/transfers/:id', { access: 'user', summary: 'Stops one; what it has under way is finished' }, (call) => {
    const transfer = transferOf(call);
    const { user } = transfer.description;
    if (user !== call.user.name && !isAdministrator(call.user))
      throw notAuthorised(`user '${user}' began this: only an administrator stops it besides`);
    transfer.stop();
    return ok(showTransfer(transfer));
  }),
];

function transferOf(call: Call): Transfer {
  const transfer = found(call.broker.transfers.get(call.param('id')));
  return found(sees(call, transfer) ? transfer : undefined);
}

/** Of the queues that the user may read. */
function sees({ broker, user }: Call, { description: { virtualHost, source } }: Transfer): boolean {
  return reachableHosts(broker, user).some(({ name }) => name === virtualHost) && user.may(virtualHost, 'read', source);
}
