"""librdkafka logs in, writes one record and reads it back; its settings come as JSON. What went wrong goes to standard output too."""

import json
import sys
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

settings, topic = json.loads(sys.argv[1]), sys.argv[2]
errors = []
settings["error_cb"] = lambda error: errors.append(error.name())
producer = Producer({**settings, "message.timeout.ms": 8000})
producer.produce(topic, "hello", on_delivery=lambda error, message: error and errors.append(error.name()))
while len(producer) > 0 and "_AUTHENTICATION" not in errors:
    producer.poll(0.1)
if errors:
    print(json.dumps({"errors": sorted(set(errors))}))
    sys.exit()
consumer = Consumer({**settings, "group.id": "g", "auto.offset.reset": "earliest"})
consumer.assign([TopicPartition(topic, 0, 0)])
message = consumer.poll(15)
print(json.dumps({"value": message.value().decode() if message is not None and message.error() is None else None}))
consumer.close()
