import { test } from 'vitest';
import { amqplib } from '../amqp/clients/amqplib.ts';
import { describeTutorials } from '../amqp/tutorials.contract.ts';
import { goClient, javaClient } from './amqp-programs.ts';

// RabbitMQ's own clients in Java and Go, with each other, themselves and amqplib.

const clients = [await javaClient(), await goClient()].filter((client) => client !== undefined);

for (const client of clients) {
  describeTutorials(amqplib, client);
  describeTutorials(client, amqplib);
  for (const other of clients) describeTutorials(client, other);
}

if (clients.length === 0) test.skip('RabbitMQ’s clients in Java and Go');
