/**
 * Which queues each connection works. Every queue has a connection and every connection a queue: where there are more queues
 * than connections, a connection has several; where there are fewer, a queue does.
 */
export function dealt(connections: number, queues: number): number[][] {
  const parts: number[][] = Array.from({ length: connections }, () => []);
  for (let index = 0; index < Math.max(connections, queues); index++) parts[index % connections]?.push(index % queues);
  return parts;
}
