import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** What a KafkaShareConsumer gets, scenario by scenario: `value/delivery count` of each record, in the order of their coming. */
public class ShareScenarios {
  static String broker;

  public static void main(String[] args) throws Exception {
    broker = args[0];
    System.out.println("{" + String.join(",", List.of(
        said("implicit", implicit("implicit")),
        said("explicit", explicit("explicit")),
        said("renewed", renewed("renewed")),
        said("shared", shared("shared")))) + "}");
  }

  /** Each poll accepts what the one before brought. */
  static List<String> implicit(String topic) throws Exception {
    produce(topic, 5);
    try (var consumer = consumer(topic, "implicit", Map.of())) {
      List<String> got = take(consumer, 5, null);
      consumer.commitSync();
      consumer.close();
      try (var next = consumer(topic, "implicit", Map.of())) {
        produce(topic, 1);
        got.addAll(take(next, 1, null));
      }
      return got;
    }
  }

  /** The first time released, the second time rejected or accepted. */
  static List<String> explicit(String topic) throws Exception {
    produce(topic, 3);
    try (var consumer = consumer(topic, "explicit", Map.of("share.acknowledgement.mode", "explicit"))) {
      List<String> got = take(consumer, 3, AcknowledgeType.RELEASE);
      failed(consumer.commitSync(), got);
      got.addAll(take(consumer, 3, AcknowledgeType.REJECT));
      failed(consumer.commitSync(), got);
      produce(topic, 1);
      got.addAll(take(consumer, 1, AcknowledgeType.ACCEPT));
      failed(consumer.commitSync(), got);
      return got;
    }
  }

  /** One of two records is kept for longer than its lock lasts; the other comes to somebody else. */
  static List<String> renewed(String topic) throws Exception {
    produce(topic, 2);
    List<String> got = new ArrayList<>();
    var explicit = Map.<String, Object>of("share.acknowledgement.mode", "explicit");
    try (var holder = consumer(topic, "renewed", explicit)) {
      take(holder, 2, AcknowledgeType.RENEW);
      failed(holder.commitSync(), got);
      long lockMs = holder.acquisitionLockTimeoutMs().orElseThrow();
      got.add("lock " + lockMs);
      try (var other = consumer(topic, "renewed", explicit)) {
        for (long begun = System.nanoTime(); System.nanoTime() - begun < TimeUnit.MILLISECONDS.toNanos(2 * lockMs); ) {
          // What was renewed comes again from the consumer itself, and is renewed again.
          take(holder, 2, AcknowledgeType.RENEW);
          failed(holder.commitSync(), got);
          other.poll(Duration.ofMillis(lockMs / 4)).forEach(record -> got.add("stolen " + name(record)));
        }
        for (ConsumerRecord<String, String> record : holder.poll(Duration.ofMillis(500))) {
          holder.acknowledge(record, record.value().equals("v0") ? AcknowledgeType.ACCEPT : AcknowledgeType.RENEW);
        }
        failed(holder.commitSync(), got);
        // Nobody renews any more.
        got.addAll(take(other, 1, AcknowledgeType.ACCEPT));
        failed(other.commitSync(), got);
      }
    }
    return got;
  }

  /** Two consumers of one partition: each record comes to one of them, and both get some. */
  static List<String> shared(String topic) throws Exception {
    List<String> got = new ArrayList<>();
    var limited = Map.<String, Object>of("max.poll.records", 10, "share.acquire.mode", "record_limit");
    try (var one = consumer(topic, "shared", limited); var two = consumer(topic, "shared", limited)) {
      produce(topic, 200);
      List<String> ones = new ArrayList<>();
      List<String> twos = new ArrayList<>();
      while (ones.size() + twos.size() < 200) {
        one.poll(Duration.ofMillis(100)).forEach(record -> ones.add(name(record)));
        two.poll(Duration.ofMillis(100)).forEach(record -> twos.add(name(record)));
      }
      got.add("both " + (!ones.isEmpty() && !twos.isEmpty()));
      ones.addAll(twos);
      got.add("different " + ones.stream().distinct().count());
      got.add("once " + ones.stream().allMatch(each -> each.endsWith("/1")));
    }
    return got;
  }

  static void produce(String topic, int count) throws Exception {
    try (var producer = new KafkaProducer<String, String>(
        Map.of("bootstrap.servers", broker), new StringSerializer(), new StringSerializer())) {
      for (int i = 0; i < count; i++) producer.send(new ProducerRecord<>(topic, 0, null, "v" + i)).get();
    }
  }

  static KafkaShareConsumer<String, String> consumer(String topic, String group, Map<String, Object> more) {
    Map<String, Object> config = new TreeMap<>(Map.of("bootstrap.servers", broker, "group.id", group));
    config.putAll(more);
    var consumer = new KafkaShareConsumer<String, String>(config, new StringDeserializer(), new StringDeserializer());
    consumer.subscribe(List.of(topic));
    return consumer;
  }

  /** So many records, of each of which the same is said. */
  static List<String> take(KafkaShareConsumer<String, String> consumer, int count, AcknowledgeType type) {
    List<String> got = new ArrayList<>();
    while (got.size() < count) {
      for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(500))) {
        got.add(name(record));
        if (type != null) consumer.acknowledge(record, type);
      }
    }
    return got;
  }

  static void failed(Map<?, ? extends java.util.Optional<?>> results, List<String> got) {
    results.values().forEach(result -> result.ifPresent(error -> got.add("failed " + error)));
  }

  static String name(ConsumerRecord<String, String> record) {
    return record.value() + "/" + record.deliveryCount().orElse((short) -1);
  }

  static String said(String scenario, List<String> got) {
    return "\"" + scenario + "\":[\"" + String.join("\",\"", got) + "\"]";
  }
}
