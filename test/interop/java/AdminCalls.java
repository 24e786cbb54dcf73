import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.acl.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.ConfigResource.Type;
import org.apache.kafka.common.quota.*;
import org.apache.kafka.common.serialization.*;

/** The calls with which consoles (kafka-ui, AKHQ) look at a cluster and change it. Each is checked; what is not as it should be is said, a line each. */
public class AdminCalls {
  static final TopicPartition FIRST = new TopicPartition("t", 0);
  static final ConfigResource TOPIC = new ConfigResource(Type.TOPIC, "t");
  static final List<String> wrong = new ArrayList<>();
  static Admin admin;
  static int checks;

  interface Call<T> {
    T get() throws Exception;
  }

  static void check(String what, Object found, Object wanted) {
    checks++;
    if (!wanted.equals(found)) wrong.add(what + ": " + found + ", not " + wanted);
  }

  /** One group of calls; what it throws is said, and the others go on. */
  static void calls(String what, Call<Void> call) {
    try {
      call.get();
    } catch (Exception error) {
      wrong.add(what + ": " + (error instanceof ExecutionException ? error.getCause() : error));
    }
  }

  static String refusal(Call<?> call) throws Exception {
    try {
      return "nothing, but " + call.get();
    } catch (ExecutionException error) {
      return error.getCause().getClass().getSimpleName();
    }
  }

  public static void main(String[] args) throws Exception {
    String broker = args[0];
    try (Admin client = Admin.create(Map.of("bootstrap.servers", broker))) {
      admin = client;
      admin.createTopics(List.of(new NewTopic("t", 2, (short) 1))).all().get();
      fill(broker);
      calls("cluster", () -> cluster(broker));
      calls("configs", () -> configs(broker));
      calls("topics", AdminCalls::topics);
      calls("offsets", AdminCalls::offsets);
      calls("groups", () -> groups(broker));
      calls("producers", AdminCalls::producers);
      calls("security", AdminCalls::security);
      calls("changes", AdminCalls::changes);
    }
    wrong.forEach(System.out::println);
    System.out.println(checks + " checks, " + wrong.size() + " wrong");
  }

  /** Ten records in each partition, of which the last two are a transaction's. */
  static void fill(String broker) throws Exception {
    var serializer = new StringSerializer();
    Map<String, Object> settings = Map.of("bootstrap.servers", broker, "transactional.id", "filler");
    try (var producer = new KafkaProducer<>(settings, serializer, serializer)) {
      producer.initTransactions();
      for (int count : new int[] {8, 2}) {
        producer.beginTransaction();
        for (int i = 0; i < count; i++)
          for (int partition = 0; partition < 2; partition++)
            producer.send(new ProducerRecord<>("t", partition, 1_000L * i, "k" + i, "v" + i));
        producer.commitTransaction();
      }
    }
  }

  static Void cluster(String broker) throws Exception {
    var cluster = admin.describeCluster(new DescribeClusterOptions().includeAuthorizedOperations(true));
    var nodes = cluster.nodes().get();
    check("nodes", nodes.stream().map(node -> node.id() + " " + node.host() + ":" + node.port()).toList(), List.of("1 " + broker));
    check("controller", cluster.controller().get().id(), 1);
    check("cluster id", cluster.clusterId().get().isEmpty(), false);
    check("operations on the cluster", cluster.authorizedOperations().get().contains(AclOperation.ALTER), true);
    var features = admin.describeFeatures().featureMetadata().get();
    check("finalized levels", features.finalizedFeatures().keySet().containsAll(Set.of("transaction.version", "group.version", "share.version")), true);
    check("supported levels", features.supportedFeatures().keySet().containsAll(features.finalizedFeatures().keySet()), true);
    var quorum = admin.describeMetadataQuorum().quorumInfo().get();
    check("leader of the quorum", quorum.leaderId(), 1);
    check("voters", quorum.voters().stream().map(QuorumInfo.ReplicaState::replicaId).toList(), List.of(1));
    var directories = admin.describeLogDirs(List.of(1)).allDescriptions().get().get(1);
    check("directories", directories.keySet(), Set.of("sluice"));
    var replicas = directories.get("sluice").replicaInfos();
    check("space of a partition", replicas.get(FIRST).size() > 0, true);
    var replica = new TopicPartitionReplica("t", 0, 1);
    check("place of a replica", admin.describeReplicaLogDirs(List.of(replica)).all().get().get(replica).getCurrentReplicaLogDir(), "sluice");
    return null;
  }

  static Void configs(String broker) throws Exception {
    var all = new DescribeConfigsOptions().includeSynonyms(true).includeDocumentation(true);
    var resource = new ConfigResource(Type.BROKER, "1");
    var configs = admin.describeConfigs(List.of(resource, TOPIC), all).all().get();
    for (Config config : configs.values())
      for (ConfigEntry entry : config.entries()) {
        check(entry.name() + " has a type", entry.type() != ConfigEntry.ConfigType.UNKNOWN, true);
        check(entry.name() + " has a source", entry.source() != ConfigEntry.ConfigSource.UNKNOWN, true);
        check(entry.name() + " is explained", entry.documentation() != null && !entry.documentation().isEmpty(), true);
        check(entry.name() + " counts", entry.synonyms().isEmpty() || entry.synonyms().get(0).value().equals(entry.value()), true);
      }
    var own = configs.get(resource);
    for (String name : List.of("listeners", "advertised.listeners")) {
      check(name, own.get(name).value(), "PLAINTEXT://" + broker);
      check(name + " is read-only", own.get(name).isReadOnly(), true);
      check(name + " was set", own.get(name).source(), ConfigEntry.ConfigSource.STATIC_BROKER_CONFIG);
    }
    check("log.dirs", own.get("log.dirs").value(), "sluice");
    check("topics can be deleted", own.get("delete.topic.enable").value(), "true");
    check("type of a number", own.get("transaction.max.timeout.ms").type(), ConfigEntry.ConfigType.INT);
    check("of a topic, by default", configs.get(TOPIC).get("retention.ms").isDefault(), true);
    var absent = new ConfigResource(Type.TOPIC, "absent");
    check("configs of no topic", refusal(() -> admin.describeConfigs(List.of(absent)).all().get()), "UnknownTopicOrPartitionException");
    return null;
  }

  static Void topics() throws Exception {
    check("topics", admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get(), Set.of("t"));
    var topic = admin.describeTopics(List.of("t"), new DescribeTopicsOptions().includeAuthorizedOperations(true)).allTopicNames().get().get("t");
    check("partitions", topic.partitions().size(), 2);
    check("leader", topic.partitions().get(1).leader().id(), 1);
    check("replicas in sync", topic.partitions().get(1).isr().size(), 1);
    check("operations on a topic", topic.authorizedOperations().contains(AclOperation.DELETE), true);
    var byId = admin.describeTopics(TopicCollection.ofTopicIds(List.of(topic.topicId()))).allTopicIds().get();
    check("by its id", byId.get(topic.topicId()).name(), "t");
    check("no topic", refusal(() -> admin.describeTopics(List.of("absent")).allTopicNames().get()), "UnknownTopicOrPartitionException");
    check("reassignments", admin.listPartitionReassignments().reassignments().get(), Map.of());
    return null;
  }

  static Void offsets() throws Exception {
    check("earliest", offset(OffsetSpec.earliest()), 0L);
    // Two markers beside ten records.
    check("latest", offset(OffsetSpec.latest()), 12L);
    check("by time", offset(OffsetSpec.forTimestamp(3_000)), 3L);
    check("after all", offset(OffsetSpec.forTimestamp(Long.MAX_VALUE)), -1L);
    // The last marker's: those have the time of the broker.
    check("of the largest time", offset(OffsetSpec.maxTimestamp()), 11L);
    check("earliest on this broker", offset(OffsetSpec.earliestLocal()), 0L);
    check("latest tiered", offset(OffsetSpec.latestTiered()), -1L);
    var committed = new ListOffsetsOptions(IsolationLevel.READ_COMMITTED);
    check("committed", admin.listOffsets(Map.of(FIRST, OffsetSpec.latest()), committed).all().get().get(FIRST).offset(), 12L);
    return null;
  }

  static long offset(OffsetSpec spec) throws Exception {
    return admin.listOffsets(Map.of(FIRST, spec)).all().get().get(FIRST).offset();
  }

  static Void groups(String broker) throws Exception {
    try (var classic = member(broker, "classic"); var consumer = member(broker, "consumer")) {
      var groups = admin.listGroups().all().get();
      var names = new TreeSet<String>();
      groups.forEach(group -> names.add(group.groupId() + " " + group.type().get()));
      check("groups", names, Set.of("classic Classic", "consumer Consumer"));
      check("consumer groups", admin.listConsumerGroups().all().get().size(), 2);
      var stable = new ListConsumerGroupsOptions().inGroupStates(Set.of(GroupState.STABLE)).withTypes(Set.of(GroupType.CONSUMER));
      check("those that are stable, of one type", admin.listConsumerGroups(stable).all().get().size(), 1);
      var described = admin.describeConsumerGroups(List.of("classic", "consumer")).all().get();
      for (String id : described.keySet()) {
        var group = described.get(id);
        check(id + " is stable", group.groupState(), GroupState.STABLE);
        check(id + " has members", group.members().size(), 1);
        var member = group.members().iterator().next();
        check(id + " is assigned", member.assignment().topicPartitions().size(), 2);
        check(id + " has a host", member.host(), "/127.0.0.1");
        check(id + " has a client id", member.clientId(), "console");
        check(id + " has a coordinator", group.coordinator().id(), 1);
      }
      check("a classic group", admin.describeClassicGroups(List.of("classic")).all().get().get("classic").protocol(), "consumer");
      check("a group with members cannot go", refusal(() -> admin.deleteConsumerGroups(List.of("classic")).all().get()), "GroupNotEmptyException");
      var refused = refusal(() -> admin.deleteConsumerGroupOffsets("classic", Set.of(FIRST)).all().get());
      check("offsets that are in use cannot go", refused, "GroupSubscribedToTopicException");
    }
    var offsets = admin.listConsumerGroupOffsets(Map.of("classic", new ListConsumerGroupOffsetsSpec(), "consumer", new ListConsumerGroupOffsetsSpec())).all().get();
    check("offsets of a classic group", offsets.get("classic").get(FIRST).offset(), 12L);
    check("offsets of a consumer group", offsets.get("consumer").get(FIRST).offset(), 12L);
    admin.alterConsumerGroupOffsets("classic", Map.of(FIRST, new OffsetAndMetadata(3, "set back"))).all().get();
    var set = admin.listConsumerGroupOffsets("classic").partitionsToOffsetAndMetadata().get().get(FIRST);
    check("an offset that was set", set.offset() + " " + set.metadata(), "3 set back");
    admin.deleteConsumerGroupOffsets("classic", Set.of(FIRST)).all().get();
    check("offsets that are left", admin.listConsumerGroupOffsets("classic").partitionsToOffsetAndMetadata().get().keySet(), Set.of(new TopicPartition("t", 1)));
    check("no group", refusal(() -> admin.describeConsumerGroups(List.of("absent")).all().get()), "GroupIdNotFoundException");
    check("no share group", refusal(() -> admin.describeShareGroups(List.of("absent")).all().get()), "GroupIdNotFoundException");
    admin.alterShareGroupOffsets("share", Map.of(FIRST, 4L)).all().get();
    check("a share group", admin.describeShareGroups(List.of("share")).all().get().get("share").groupState(), GroupState.EMPTY);
    var shared = admin.listShareGroupOffsets(Map.of("share", new ListShareGroupOffsetsSpec())).all().get();
    check("where a share group begins", shared.get("share").get(FIRST).startOffset(), 4L);
    admin.deleteShareGroups(List.of("share")).all().get();
    admin.deleteConsumerGroups(List.of("classic", "consumer")).all().get();
    check("groups that are left", admin.listGroups().all().get().size(), 0);
    return null;
  }

  /** Has its partitions, and has committed their ends. */
  static KafkaConsumer<String, String> member(String broker, String protocol) {
    Map<String, Object> settings = Map.of("bootstrap.servers", broker, "group.id", protocol, "client.id", "console",
        "group.protocol", protocol, "auto.offset.reset", "earliest", "enable.auto.commit", false);
    var consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
    consumer.subscribe(List.of("t"));
    for (int got = 0; got < 20; ) got += consumer.poll(Duration.ofSeconds(1)).count();
    consumer.commitSync(Map.of(FIRST, new OffsetAndMetadata(12), new TopicPartition("t", 1), new OffsetAndMetadata(12)));
    return consumer;
  }

  static Void producers() throws Exception {
    var states = admin.describeProducers(List.of(FIRST)).all().get().get(FIRST).activeProducers();
    check("producers", states.size(), 1);
    var state = states.iterator().next();
    check("none has a transaction open", state.currentTransactionStartOffset().isEmpty(), true);
    var listed = admin.listTransactions().all().get();
    check("transactions", listed.stream().map(TransactionListing::transactionalId).toList(), List.of("filler"));
    check("its producer", listed.iterator().next().producerId(), state.producerId());
    var transaction = admin.describeTransactions(List.of("filler")).all().get().get("filler");
    check("state of a transaction", transaction.state(), TransactionState.COMPLETE_COMMIT);
    check("its coordinator", transaction.coordinatorId(), 1);
    check("no transaction", refusal(() -> admin.describeTransactions(List.of("absent")).all().get()), "TransactionalIdNotFoundException");
    admin.fenceProducers(List.of("filler")).all().get();
    return null;
  }

  static Void security() throws Exception {
    check("access control is off", refusal(() -> admin.describeAcls(AclBindingFilter.ANY).values().get()), "SecurityDisabledException");
    check("quotas", admin.describeClientQuotas(ClientQuotaFilter.all()).entities().get(), Map.of());
    var entity = new ClientQuotaEntity(Map.of("user", "anna", "client-id", "c"));
    var quota = new ClientQuotaAlteration(entity, List.of(new ClientQuotaAlteration.Op("producer_byte_rate", 1000.0)));
    admin.alterClientQuotas(List.of(quota)).all().get();
    check("a quota", admin.describeClientQuotas(ClientQuotaFilter.all()).entities().get(), Map.of(entity, Map.of("producer_byte_rate", 1000.0)));
    var scram = new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 8192);
    admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion("anna", scram, "secret"))).all().get();
    var users = admin.describeUserScramCredentials(List.of("anna")).all().get();
    check("a user's credentials", users.get("anna").credentialInfos(), List.of(scram));
    check("all users'", admin.describeUserScramCredentials().all().get().containsKey("anna"), true);
    check("tokens", refusal(() -> admin.describeDelegationToken().delegationTokens().get()), "DelegationTokenDisabledException");
    return null;
  }

  static Void changes() throws Exception {
    var retention = new AlterConfigOp(new ConfigEntry("retention.ms", "60000"), AlterConfigOp.OpType.SET);
    var policy = new AlterConfigOp(new ConfigEntry("cleanup.policy", "compact"), AlterConfigOp.OpType.APPEND);
    Map<ConfigResource, Collection<AlterConfigOp>> ops = Map.of(TOPIC, List.of(retention, policy));
    admin.incrementalAlterConfigs(ops).all().get();
    var config = admin.describeConfigs(List.of(TOPIC)).all().get().get(TOPIC);
    check("a number that was set", config.get("retention.ms").value() + " " + config.get("retention.ms").source(), "60000 DYNAMIC_TOPIC_CONFIG");
    check("a list that grew", config.get("cleanup.policy").value(), "delete,compact");
    var unknown = new AlterConfigOp(new ConfigEntry("what.is.this", "1"), AlterConfigOp.OpType.SET);
    check("no such setting", refusal(() -> admin.incrementalAlterConfigs(Map.of(TOPIC, List.of(unknown))).all().get()), "InvalidConfigurationException");
    var subscription = new ConfigResource(Type.CLIENT_METRICS, "s");
    var interval = new AlterConfigOp(new ConfigEntry("interval.ms", "1000"), AlterConfigOp.OpType.SET);
    admin.incrementalAlterConfigs(Map.of(subscription, List.of(interval))).all().get();
    check("subscriptions", admin.listConfigResources(Set.of(Type.CLIENT_METRICS), new ListConfigResourcesOptions()).all().get(), List.of(subscription));
    check("what has settings", admin.listConfigResources().all().get().contains(TOPIC), true);
    admin.createPartitions(Map.of("t", NewPartitions.increaseTo(4))).all().get();
    check("fewer partitions", refusal(() -> admin.createPartitions(Map.of("t", NewPartitions.increaseTo(2))).all().get()), "InvalidPartitionsException");
    admin.deleteRecords(Map.of(FIRST, RecordsToDelete.beforeOffset(5))).all().get();
    check("records that are left", offset(OffsetSpec.earliest()), 5L);
    var elected = admin.electLeaders(ElectionType.PREFERRED, Set.of(FIRST)).partitions().get().get(FIRST);
    check("an election", elected.map(error -> error.getClass().getSimpleName()), Optional.of("ElectionNotNeededException"));
    admin.alterPartitionReassignments(Map.of(FIRST, Optional.of(new NewPartitionReassignment(List.of(1))))).all().get();
    check("partitions that were added", admin.describeTopics(List.of("t")).allTopicNames().get().get("t").partitions().size(), 4);
    admin.deleteTopics(List.of("t")).all().get();
    check("topics that are left", admin.listTopics().names().get(), Set.of());
    return null;
  }
}
