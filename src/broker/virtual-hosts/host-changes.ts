import { BrokerError } from '../../errors.ts';
import type { Catalog, ChangeScope } from '../catalog/catalog.ts';
import type { VirtualHostEvent, VirtualHostInfo } from '../catalog/virtual-host-state.ts';
import type { Counted, TopologyCounts } from './limits.ts';
import type { Removal } from './removal.ts';

export interface HostChangesOptions {
  readonly info: VirtualHostInfo;
  readonly catalog: Catalog;
  readonly counts: TopologyCounts;
  /** Something with logs is gone: they are to be deleted. */
  readonly onRemoved: (removal: Removal) => void;
}

/**
 * Changes of one virtual host, those of what does not last included: each decides upon what the one before left. Making things
 * that have nothing to do with each other may go together; taking away goes alone, for much may go with it.
 */
export class HostChanges {
  /** The virtual host was deleted. */
  closed = false;
  readonly #options: HostChangesOptions;

  constructor(options: HostChangesOptions) {
    this.#options = options;
  }

  /** What is named like this, to changes that make it or need it. */
  name(kind: 'queue' | 'exchange', name: string): string {
    return `${kind} ${this.#options.info.id} ${name}`;
  }

  change(decide: () => readonly VirtualHostEvent[], follow: () => void, scope?: ChangeScope): Promise<void> {
    return this.#options.catalog.change(
      () => {
        if (this.closed) throw new BrokerError('not-found', `vhost '${this.#options.info.name}' is down`);
        return decide();
      },
      follow,
      scope,
    );
  }

  /** Makes one thing more, of those that are counted; when `decide` answers undefined, there is nothing to make: resolves to false. Throws `limit-exceeded`. */
  async make(
    what: Counted,
    scope: ChangeScope,
    decide: () => readonly VirtualHostEvent[] | undefined,
    follow: () => void,
  ): Promise<boolean> {
    const { counts } = this.#options;
    let taken = false;
    try {
      await this.change(
        () => {
          const events = decide();
          if (events === undefined) return [];
          counts.take(what);
          taken = true;
          return events;
        },
        () => {
          if (taken) follow();
        },
        scope,
      );
      return taken;
    } catch (error) {
      if (taken) counts.release(what);
      throw error;
    }
  }

  /** Takes away what `decide` says; of a virtual host that is gone, everything is. */
  async remove(decide: () => Removal | undefined): Promise<Removal | undefined> {
    if (this.closed) return undefined;
    let removal: Removal | undefined;
    await this.change(
      () => {
        removal = decide();
        return removal?.events() ?? [];
      },
      () => removal?.apply(),
    );
    if (removal !== undefined) this.#options.onRemoved(removal);
    return removal;
  }
}
