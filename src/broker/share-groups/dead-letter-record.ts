import type { LogRecord, RecordHeader } from '../../records/index.ts';
import { headerText } from '../messages/record-mapping.ts';

/** What a dead letter of a share group says of the record that was given up (KIP-1191). */
export interface RecordDeath {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly group: string;
  readonly deliveryCount: number;
  readonly message: string;
}

const PREFIX = '__dlq.errors.';

/** Undefined for a record that is no dead letter. */
export function recordDeath({ headers }: Pick<LogRecord, 'headers'>): RecordDeath | undefined {
  const topic = headerText(headers, `${PREFIX}topic`);
  if (topic === undefined) return undefined;
  const number = (name: string) => {
    const text = headerText(headers, PREFIX + name) ?? '';
    return /^\d{1,15}$/.test(text) ? Number(text) : 0;
  };
  return {
    topic,
    partition: number('partition'),
    offset: number('offset'),
    group: headerText(headers, `${PREFIX}group`) ?? '',
    deliveryCount: number('delivery.count'),
    message: headerText(headers, `${PREFIX}message`) ?? '',
  };
}

/** The record's headers without what says how it died. */
export function headersBefore({ headers }: Pick<LogRecord, 'headers'>): RecordHeader[] {
  return headers.filter(([name]) => !name.startsWith(PREFIX));
}
