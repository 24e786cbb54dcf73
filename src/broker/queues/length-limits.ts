import type { QueueSettings } from './settings.ts';

/** Whether there are limits that a publisher is refused for. */
export function refusesPublishers({ overflow, maxLength, maxLengthBytes }: QueueSettings): boolean {
  return overflow !== 'drop-head' && (maxLength !== undefined || maxLengthBytes !== undefined);
}

/** Whether a queue with so many messages, and bytes of bodies, takes another one of so many bytes. */
export function hasRoom(
  { maxLength, maxLengthBytes }: QueueSettings,
  count: number,
  bytes: number,
  added: number,
): boolean {
  return (
    count < (maxLength ?? Number.POSITIVE_INFINITY) && bytes + added <= (maxLengthBytes ?? Number.POSITIVE_INFINITY)
  );
}

/** Whether a queue with so many messages, and bytes of bodies, has to drop some. */
export function isOver({ overflow, maxLength, maxLengthBytes }: QueueSettings, count: number, bytes: number): boolean {
  if (overflow !== 'drop-head') return false;
  return (maxLength !== undefined && count > maxLength) || (maxLengthBytes !== undefined && bytes > maxLengthBytes);
}
