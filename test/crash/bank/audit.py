"""librdkafka reads the committed records of all partitions up to their ends; each goes to standard output as JSON: [TOPIC-PARTITION, OFFSET, VALUE]."""

import json
import sys
from confluent_kafka import Consumer, TopicPartition

broker, *topics = sys.argv[1:]
reader = Consumer({"bootstrap.servers": broker, "group.id": "audit", "enable.auto.commit": False, "auto.offset.reset": "earliest",
                   "isolation.level": "read_committed", "enable.partition.eof": True})
known = reader.list_topics(timeout=30).topics
places = [TopicPartition(topic, partition, 0) for topic in topics for partition in known[topic].partitions]
reader.assign(places)
ended = set()
while len(ended) < len(places):
    message = reader.poll(10)
    if message is None:
        break
    place = f"{message.topic()}-{message.partition()}"
    if message.error():
        ended.add(place)
    else:
        print(json.dumps([place, message.offset(), message.value().decode()]))
reader.close()
