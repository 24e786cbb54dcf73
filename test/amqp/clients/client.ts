/** A queue as a tutorial declares it. */
export interface TutorialQueue {
  readonly name: string;
  readonly durable: boolean;
}

export interface TutorialExchange {
  readonly name: string;
  readonly type: 'fanout' | 'direct' | 'topic';
}

/** A program that runs until it is stopped. */
export interface Running {
  /** What it has received: routing key, a space, and the body. */
  readonly lines: readonly string[];
  /** Ends it, as a user would who is done with it. */
  stop(): Promise<void>;
}

/** What a worker does with the messages that it gets: acknowledges each, or sits on the first one that it has. */
export type Work = 'acknowledge' | 'hold';

/** One client library, as the programs of RabbitMQ's tutorials use it: https://www.rabbitmq.com/tutorials, 1 to 7. */
export interface TutorialClient {
  readonly name: string;
  /** Tutorials 1 and 2: messages to a queue by its name; persistent when the queue is durable. */
  send(url: string, queue: TutorialQueue, bodies: readonly string[]): Promise<void>;
  /** Tutorials 1 and 2: a consumer that acknowledges by hand, with a prefetch of 1. */
  work(url: string, queue: TutorialQueue, work: Work): Promise<Running>;
  /** Tutorials 3, 4 and 5: pairs of routing key and body to an exchange. */
  emit(url: string, exchange: TutorialExchange, messages: readonly (readonly [string, string])[]): Promise<void>;
  /** Tutorials 3, 4 and 5: an exclusive queue that the server names, bound by each of the keys; deliveries need no acknowledgement. */
  subscribe(url: string, exchange: TutorialExchange, keys: readonly string[]): Promise<Running>;
  /** Tutorial 6: asks for Fibonacci numbers, each after the answer to the one before. */
  call(url: string, queue: string, numbers: readonly number[]): Promise<number[]>;
  /** Tutorial 6: answers them. */
  serve(url: string, queue: string): Promise<Running>;
  /** Tutorial 7: persistent messages to a durable queue; resolves when all are confirmed. */
  confirm(url: string, queue: string, bodies: readonly string[]): Promise<void>;
}

export function fibonacci(n: number): number {
  let [a, b] = [0, 1];
  for (let i = 0; i < n; i++) [a, b] = [b, a + b];
  return a;
}
