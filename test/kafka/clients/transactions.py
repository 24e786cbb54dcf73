"""librdkafka copies one topic to another in transactions of ten, and aborts every third at first; tells on standard output what came of it."""

import json
import sys
from confluent_kafka import Consumer, Producer, TopicPartition

(broker,) = sys.argv[1:]


def read(topic, isolation, count):
    reader = Consumer({"bootstrap.servers": broker, "group.id": "reader", "enable.auto.commit": False,
                       "auto.offset.reset": "earliest", "isolation.level": isolation, "enable.partition.eof": True})
    reader.assign([TopicPartition(topic, 0, 0)])
    values = []
    while True:
        message = reader.poll(10)
        if message is None or (message.error() and len(values) >= count):
            break
        if not message.error():
            values.append(message.value().decode())
    reader.close()
    return values


source = Producer({"bootstrap.servers": broker, "enable.idempotence": True})
for i in range(100):
    source.produce("source", key=str(i), value=f"value-{i}", partition=0)
source.flush(30)

consumer = Consumer({"bootstrap.servers": broker, "group.id": "copier", "enable.auto.commit": False,
                     "auto.offset.reset": "earliest", "isolation.level": "read_committed"})
consumer.subscribe(["source"])
producer = Producer({"bootstrap.servers": broker, "transactional.id": "copier"})
producer.init_transactions(30)
position, attempt = 0, 0
while position < 100:
    messages = []
    while len(messages) < 10:
        message = consumer.poll(10)
        if message is not None and not message.error():
            messages.append(message)
    producer.begin_transaction()
    for message in messages:
        producer.produce("copy", value=message.value(), partition=0)
    offsets = [TopicPartition("source", 0, messages[-1].offset() + 1)]
    producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata(), 30)
    attempt += 1
    if attempt % 3 == 0:
        producer.flush(30)
        producer.abort_transaction(30)
        consumer.seek(TopicPartition("source", 0, messages[0].offset()))
    else:
        producer.commit_transaction(30)
        position = messages[-1].offset() + 1
committed = consumer.committed([TopicPartition("source", 0)], 30)[0].offset
consumer.close()
print(json.dumps({"copied": read("copy", "read_committed", 100), "committed": committed,
                  "uncommitted": len(read("copy", "read_uncommitted", 101))}))
