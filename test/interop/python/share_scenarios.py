"""What a share consumer of librdkafka gets, scenario by scenario: value/delivery count of each record, in the order of their coming."""

import json
import sys

from confluent_kafka import AcknowledgeType, Producer, ShareConsumer

broker = sys.argv[1]


def produce(topic, count):
    producer = Producer({"bootstrap.servers": broker})
    for i in range(count):
        producer.produce(topic, value=f"v{i}", partition=0)
    producer.flush()


def consumer(topic, group, mode="implicit"):
    made = ShareConsumer({"bootstrap.servers": broker, "group.id": group, "share.acknowledgement.mode": mode})
    made.subscribe([topic])
    return made


def take(made, count, verdict=None):
    got = []
    while len(got) < count:
        for message in made.poll(0.5):
            if message.error() is not None:
                raise RuntimeError(message.error())
            got.append(f"{message.value().decode()}/{message.delivery_count()}")
            if verdict is not None:
                made.acknowledge(message, verdict)
    return got


def failures(made):
    return [str(error) for error in made.commit_sync(10.0).values() if error is not None]


def implicit(topic):
    produce(topic, 5)
    with consumer(topic, "implicit-rd") as first:
        got = take(first, 5)
        got += failures(first)
    produce(topic, 1)
    with consumer(topic, "implicit-rd") as second:
        return got + take(second, 1)


def explicit(topic):
    produce(topic, 3)
    with consumer(topic, "explicit-rd", "explicit") as made:
        got = take(made, 3, AcknowledgeType.RELEASE) + failures(made)
        got += take(made, 3, AcknowledgeType.REJECT) + failures(made)
        produce(topic, 1)
        return got + take(made, 1, AcknowledgeType.ACCEPT) + failures(made)


def left(topic):
    """Whoever closes without a word gives back what it has."""
    produce(topic, 2)
    with consumer(topic, "left-rd", "explicit") as first:
        got = take(first, 2)
    with consumer(topic, "left-rd", "explicit") as second:
        return got + take(second, 2, AcknowledgeType.ACCEPT) + failures(second)


print(json.dumps({each.__name__: each(each.__name__) for each in (implicit, explicit, left)}))
