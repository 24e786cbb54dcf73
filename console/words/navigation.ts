import { words } from './words.ts';

/** Groups and entries of the navigation. */
export const groupWords = words({
  broker: ['Broker', 'Broker'],
  streams: ['Streams', '流'],
  queues: ['Queues', '队列'],
  messages: ['Messages', '消息'],
  clients: ['Clients', '客户端'],
  administration: ['Administration', '管理'],
});

export const navigationWords = words({
  streams: ['Streams', '流'],
  stream: ['Stream', '流'],
  groups: ['Groups', '消费组'],
  group: ['Group', '消费组'],
  transactions: ['Transactions', '事务'],
  transaction: ['Transaction', '事务'],
  overview: ['Overview', '概览'],
  connections: ['Connections', '连接'],
  connection: ['Connection', '连接'],
  channels: ['Channels', '信道'],
  channel: ['Channel', '信道'],
});
