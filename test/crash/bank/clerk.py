"""librdkafka carries out what is asked for: consumes requests in a group and posts the two halves of each in a transaction with its offsets.

Goes on whatever happens to the broker, until the end of standard input. Tells on standard output, line by line: `committed CLERK/NUMBER`,
`aborted CLERK/NUMBER`, and `trouble TEXT`.
"""

import json
import random
import select
import sys
import time
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

broker, name, topic, accounts, partitions, session_ms, seed = sys.argv[1:8]
chance = random.Random(int(seed))
settings = {"bootstrap.servers": broker, "reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 200, "log_level": 0}
attempts = 0


def tell(*words):
    print(*words, flush=True)


def stopped():
    return bool(select.select([sys.stdin], [], [], 0)[0])


def connect():
    producer = Producer({**settings, "transactional.id": name, "transaction.timeout.ms": 30000, "retry.backoff.ms": 20})
    producer.init_transactions(30)
    consumer = Consumer({**settings, "group.id": "clerks", "enable.auto.commit": False, "auto.offset.reset": "earliest",
                         "isolation.level": "read_committed", "session.timeout.ms": int(session_ms), "heartbeat.interval.ms": 500,
                         "fetch.wait.max.ms": 50})
    consumer.subscribe([topic])
    return producer, consumer


def carry_out(producer, consumer, messages):
    global attempts
    attempts += 1
    attempt = f"{name}/{attempts}"
    producer.begin_transaction()
    first, positions = {}, {}
    for message in messages:
        first.setdefault(message.partition(), message.offset())
        request = json.loads(message.value())
        for account, amount in ((request["from"], -request["amount"]), (request["to"], request["amount"])):
            posting = {"kind": "posting", "transfer": request["request"], "attempt": attempt, "account": account, "amount": amount}
            producer.produce(accounts, value=json.dumps(posting), partition=account % int(partitions))
        positions[message.partition()] = message.offset() + 1
    offsets = [TopicPartition(topic, partition, offset) for partition, offset in positions.items()]
    producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata(), 30)
    if chance.random() < 0.15:
        tell("aborted", attempt)
        producer.abort_transaction(30)
        for partition, offset in first.items():
            consumer.seek(TopicPartition(topic, partition, offset))
        return
    while True:
        try:
            producer.commit_transaction(30)
            break
        except KafkaException as error:
            if not error.args[0].retriable():
                raise
    tell("committed", attempt)


def work():
    producer, consumer = connect()
    try:
        while not stopped():
            messages = [message for message in consumer.consume(10, 0.1) if message.error() is None]
            if messages:
                carry_out(producer, consumer, messages)
    finally:
        consumer.close()


while not stopped():
    try:
        work()
    except KafkaException as error:
        tell("trouble", str(error).replace("\n", " "))
        time.sleep(0.02)
