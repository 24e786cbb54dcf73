import { BrokerError } from '../../errors.ts';
import type { QueueType } from './queue-entry.ts';
import type { VirtualHost } from './virtual-host.ts';

/** All virtual hosts of the broker; `/` is there from the first start on. */
export class VirtualHosts {
  get(_name: string): VirtualHost | undefined {
    throw notBuilt();
  }

  names(): string[] {
    throw notBuilt();
  }

  /** Answers the one that is there when there is one. Rejects with `invalid-argument` for a name, `limit-exceeded`. */
  create(_name: string, _options?: { readonly defaultQueueType?: QueueType }): Promise<VirtualHost> {
    throw notBuilt();
  }

  /** Deletes a virtual host with everything in it. Rejects with `not-found`. */
  delete(_name: string): Promise<void> {
    throw notBuilt();
  }

  /** Is told of virtual hosts that were deleted: connections to them are to be closed. */
  onDeleted(_listener: (host: VirtualHost) => void): void {
    throw notBuilt();
  }
}

function notBuilt(): BrokerError {
  return new BrokerError('internal', 'not built yet');
}
