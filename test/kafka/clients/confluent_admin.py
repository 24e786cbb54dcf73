"""librdkafka's AdminClient through its Python client: the calls that Debian's version has, one after the other; what came of them goes to standard output."""

import json
import sys
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

admin = AdminClient({"bootstrap.servers": sys.argv[1], "client.id": "admin"})


def outcomes(futures):
    """By name: what there is, or the error that librdkafka names."""
    found = {}
    for key, future in futures.items():
        try:
            found[str(key)] = future.result(20)
        except KafkaException as error:
            found[str(key)] = error.args[0].name()
    return found


def configs(kind, name, wanted):
    described = admin.describe_configs([ConfigResource(kind, name)], request_timeout=20)
    (entries,) = outcomes(described).values()
    if isinstance(entries, str):
        return entries
    return {name: [entries[name].value, entries[name].is_read_only, entries[name].is_default] for name in wanted}


answer = {}
topic = NewTopic("t", 2, 1, config={"retention.ms": "60000"})
answer["validated"] = outcomes(admin.create_topics([NewTopic("t", 2, 1)], validate_only=True))
answer["created"] = outcomes(admin.create_topics([topic, NewTopic("spa ce", 1, 1)]))
answer["created again"] = outcomes(admin.create_topics([topic]))
answer["grown"] = outcomes(admin.create_partitions([NewPartitions("t", 3), NewPartitions("absent", 3)]))
answer["shrunk"] = outcomes(admin.create_partitions([NewPartitions("t", 1)]))
answer["topic's"] = configs(ConfigResource.Type.TOPIC, "t", ["retention.ms", "cleanup.policy"])
answer["broker's"] = configs(ConfigResource.Type.BROKER, "1", ["advertised.listeners", "log.retention.ms"])
answer["nobody's"] = configs(ConfigResource.Type.TOPIC, "absent", [])
answer["set"] = list(outcomes(admin.alter_configs([ConfigResource(
    ConfigResource.Type.TOPIC, "t", set_config={"cleanup.policy": "compact"})])).values())
answer["what was not set again"] = configs(ConfigResource.Type.TOPIC, "t", ["retention.ms", "cleanup.policy"])
answer["set wrong"] = list(outcomes(admin.alter_configs([ConfigResource(
    ConfigResource.Type.TOPIC, "t", set_config={"retention.ms": "long"})])).values())
cluster = admin.list_topics(timeout=20)
answer["brokers"] = [f"{broker.host}:{broker.port}" for broker in cluster.brokers.values()]
answer["controller"] = cluster.controller_id
answer["topics"] = {name: len(topic.partitions) for name, topic in cluster.topics.items()}
answer["groups"] = [[group.id, group.state, len(group.members)] for group in admin.list_groups(timeout=20)]
answer["deleted"] = outcomes(admin.delete_topics(["t", "absent"], operation_timeout=5))
print(json.dumps(answer))
