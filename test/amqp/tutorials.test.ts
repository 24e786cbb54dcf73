import { amqplib } from './clients/amqplib.ts';
import { hasPika, pika } from './clients/pika.ts';
import { rabbitmqClient } from './clients/rabbitmq-client.ts';
import { describeTutorials } from './tutorials.contract.ts';

const clients = [amqplib, rabbitmqClient, ...(hasPika ? [pika] : [])];

for (const producer of clients) for (const consumer of clients) describeTutorials(producer, consumer);
