export type { ClientAddress, ClientChannel, ClientConnection, ClientConsumer } from './client.ts';
export { Clients, connectionName } from './clients.ts';
