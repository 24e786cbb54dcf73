"""pika as the programs of RabbitMQ's tutorials use it: what it is told comes as arguments, what it receives goes to standard output."""

import sys
import threading
import uuid

import pika

command, url, name = sys.argv[1:4]
rest = sys.argv[4:]


def say(line):
    print(line, flush=True)


def show(method, body):
    say(f"{method.routing_key} {body.decode()}")


def fibonacci(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def consume_until_told(connection, channel):
    """Consumes until standard input ends."""

    def wait():
        sys.stdin.read()
        connection.add_callback_threadsafe(channel.stop_consuming)

    threading.Thread(target=wait, daemon=True).start()
    say("ready")
    channel.start_consuming()


connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()

if command == "send":
    durable = rest[0] == "durable"
    channel.queue_declare(queue=name, durable=durable)
    properties = pika.BasicProperties(delivery_mode=2) if durable else None
    for body in rest[1:]:
        channel.basic_publish(exchange="", routing_key=name, body=body, properties=properties)
elif command == "confirm":
    channel.queue_declare(queue=name, durable=True)
    channel.confirm_delivery()
    for body in rest:
        # Raises when the broker refuses or returns it.
        channel.basic_publish(exchange="", routing_key=name, body=body, mandatory=True,
                              properties=pika.BasicProperties(delivery_mode=2))
elif command == "work":
    durability, work = rest
    channel.queue_declare(queue=name, durable=durability == "durable")
    channel.basic_qos(prefetch_count=1)

    def on_message(channel, method, properties, body):
        show(method, body)
        if work == "acknowledge":
            channel.basic_ack(delivery_tag=method.delivery_tag)

    channel.basic_consume(queue=name, on_message_callback=on_message)
    consume_until_told(connection, channel)
elif command == "emit":
    channel.exchange_declare(exchange=name, exchange_type=rest[0])
    for key, body in zip(rest[1::2], rest[2::2]):
        channel.basic_publish(exchange=name, routing_key=key, body=body)
elif command == "subscribe":
    channel.exchange_declare(exchange=name, exchange_type=rest[0])
    queue = channel.queue_declare(queue="", exclusive=True).method.queue
    for key in rest[1:]:
        channel.queue_bind(exchange=name, queue=queue, routing_key=key)
    channel.basic_consume(queue=queue, auto_ack=True,
                          on_message_callback=lambda channel, method, properties, body: show(method, body))
    consume_until_told(connection, channel)
elif command == "call":
    answers = {}
    reply_queue = channel.queue_declare(queue="", exclusive=True).method.queue

    def on_answer(channel, method, properties, body):
        answers[properties.correlation_id] = body.decode()

    channel.basic_consume(queue=reply_queue, on_message_callback=on_answer, auto_ack=True)
    for number in rest:
        id = str(uuid.uuid4())
        channel.basic_publish(exchange="", routing_key=name, body=number,
                              properties=pika.BasicProperties(reply_to=reply_queue, correlation_id=id))
        while id not in answers:
            connection.process_data_events(time_limit=None)
        say(answers[id])
elif command == "serve":
    channel.queue_declare(queue=name)
    channel.basic_qos(prefetch_count=1)

    def on_request(channel, method, properties, body):
        show(method, body)
        channel.basic_publish(exchange="", routing_key=properties.reply_to, body=str(fibonacci(int(body))),
                              properties=pika.BasicProperties(correlation_id=properties.correlation_id))
        channel.basic_ack(delivery_tag=method.delivery_tag)

    channel.basic_consume(queue=name, on_message_callback=on_request)
    consume_until_told(connection, channel)
else:
    sys.exit(f"no such command: {command}")

connection.close()
