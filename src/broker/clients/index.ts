export {
  type ClientAddress,
  type ClientChannel,
  type ClientConnection,
  type ClientConsumer,
  endsOf,
  type HeldMessage,
} from './client.ts';
export { Clients, connectionName } from './clients.ts';
