import type { FieldTable } from '../messages/index.ts';
import type { Binding, Bindings, Named } from './binding.ts';

/** What an exchange may want to know of a message beyond its routing key. Found out only when asked. */
export interface MessageAttributes {
  headers(): FieldTable | undefined;
  /** By the name in AMQP 0-9-1: `message_id`. */
  property(name: HashProperty): string | undefined;
}

/** Properties that a message can be spread by. */
export type HashProperty = 'correlation_id' | 'message_id' | 'timestamp';

/** A search for where one message goes, as the tables see it: they ask it, and tell it what matches. */
export interface Search<Target extends Named> {
  /** The routing key, and those in the message's CC and BCC headers after it. */
  readonly keys: readonly string[];
  /** Asking makes the outcome depend on the message, so that it is not kept for others with the same routing key. */
  attributes(): MessageAttributes;
  found(binding: Binding<Target>): void;
  foundAll(bindings: Bindings<Target>): void;
}

/** The bindings of one exchange, laid out for finding those that a message matches. */
export interface RoutingTable<Target extends Named> {
  /** Throws `precondition-failed`, in RabbitMQ's words, for a binding that the type does not allow. */
  check(key: string, args: FieldTable): void;
  /** Not there yet, and checked. */
  add(binding: Binding<Target>): void;
  /** Was added. */
  remove(binding: Binding<Target>): void;
  /** Tells of every binding that matches; of one more than once, perhaps. */
  match(search: Search<Target>): void;
}
