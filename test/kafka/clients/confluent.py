"""librdkafka through its Python client, as a process: what it is told comes as arguments, what it does goes to standard output."""

import json
import sys
from confluent_kafka import Consumer, Producer, TopicPartition

command, broker, topic = sys.argv[1:4]

if command == "produce":
    compression, count = sys.argv[4], int(sys.argv[5])
    failed = []
    producer = Producer({"bootstrap.servers": broker, "enable.idempotence": True, "compression.type": compression})
    for i in range(count):
        producer.produce(topic, key=f"key-{i}", value=f"value-{i}", headers=[("number", str(i).encode())],
                         on_delivery=lambda error, message: failed.append(str(error)) if error else None)
        producer.poll(0)
    producer.flush(30)
    print(json.dumps({"failed": failed, "unsent": len(producer)}))
elif command == "read":
    count = int(sys.argv[4])
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "reader", "enable.auto.commit": False,
                         "auto.offset.reset": "earliest"})
    partitions = consumer.list_topics(topic, 10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, p, 0) for p in partitions])
    records = []
    while len(records) < count:
        message = consumer.poll(20)
        if message is None or message.error():
            break
        records.append({"partition": message.partition(), "offset": message.offset(), "key": message.key().decode(),
                        "value": message.value().decode(), "number": dict(message.headers() or {}).get("number", b"").decode()})
    consumer.close()
    print(json.dumps(records))
elif command == "group":
    # Consumes until it is told to stop (end of standard input), one line for each record; then leaves the group.
    import select
    group, strategy = sys.argv[4:6]
    consumer = Consumer({"bootstrap.servers": broker, "group.id": group, "auto.offset.reset": "earliest",
                         "partition.assignment.strategy": strategy, "session.timeout.ms": 6000,
                         "heartbeat.interval.ms": 200})
    consumer.subscribe([topic])
    while not select.select([sys.stdin], [], [], 0)[0]:
        message = consumer.poll(0.1)
        if message is not None and not message.error():
            print(f"{message.partition()} {message.offset()} {message.value().decode()}", flush=True)
    consumer.close()
