import { expect, test } from 'vitest';
import { Meters } from '../telemetry/meters.ts';
import type { ClientConnection } from './client.ts';
import { Clients, connectionName } from './clients.ts';

const at = (host: string, port: number) =>
  ({ peer: { host, port }, local: { host: '::1', port: 5672 } }) as ClientConnection;

test('connections are named by both ends, and known as long as they are open', () => {
  const clients = new Clients(new Meters());
  const connection = at('127.0.0.1', 1);
  const gone = clients.add(connection);
  clients.add(at('127.0.0.1', 2));
  expect(connectionName(connection)).toBe('127.0.0.1:1 -> [::1]:5672');
  expect(clients.get('127.0.0.1:1 -> [::1]:5672')).toBe(connection);
  expect(clients.size).toBe(2);
  gone();
  expect(clients.get('127.0.0.1:1 -> [::1]:5672')).toBeUndefined();
  expect([...clients.all()]).toHaveLength(1);
});
