import type { FieldTable } from '../messages/index.ts';
import type { ExchangeCounts } from '../telemetry/message-counts.ts';
import type { Policy } from './policy.ts';

/** What a client asks for when it declares an exchange. */
export interface ExchangeDeclaration {
  readonly name: string;
  readonly type: string;
  readonly durable: boolean;
  readonly autoDelete: boolean;
  /** Takes messages from other exchanges only. */
  readonly internal: boolean;
  readonly arguments: FieldTable;
}

/** An exchange as it is known in its virtual host. */
export interface ExchangeEntry extends ExchangeDeclaration {
  /** The one that applies. */
  readonly policy: Policy | undefined;
  readonly counts: ExchangeCounts;
}
