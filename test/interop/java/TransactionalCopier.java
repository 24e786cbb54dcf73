import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Copies `source` to `copy` (three partitions each) in transactions, of which every third is aborted and done again; says what is in the copy. */
public class TransactionalCopier {
  static final int COUNT = 200;

  public static void main(String[] args) throws Exception {
    String broker = args[0];
    try (KafkaProducer<String, String> source = producer(broker, null)) {
      for (int i = 0; i < COUNT; i++) source.send(new ProducerRecord<>("source", i % 3, "" + i, "" + i));
    }
    Map<TopicPartition, Long> at = new TreeMap<>((a, b) -> a.partition() - b.partition());
    try (KafkaProducer<String, String> copier = producer(broker, "copier");
        KafkaConsumer<String, String> consumer = consumer(broker, "copiers")) {
      copier.initTransactions();
      consumer.subscribe(List.of("source"));
      int copied = 0;
      for (int attempt = 1; copied < COUNT; attempt++) {
        var records = consumer.poll(Duration.ofMillis(500));
        if (records.isEmpty()) continue;
        Map<TopicPartition, OffsetAndMetadata> next = new TreeMap<>((a, b) -> a.partition() - b.partition());
        Map<TopicPartition, Long> first = new TreeMap<>((a, b) -> a.partition() - b.partition());
        copier.beginTransaction();
        for (ConsumerRecord<String, String> record : records) {
          var partition = new TopicPartition("source", record.partition());
          copier.send(new ProducerRecord<>("copy", record.partition(), record.key(), record.value()));
          first.putIfAbsent(partition, record.offset());
          next.put(partition, new OffsetAndMetadata(record.offset() + 1));
        }
        copier.sendOffsetsToTransaction(next, consumer.groupMetadata());
        if (attempt % 3 == 1) {
          copier.flush();
          copier.abortTransaction();
          first.forEach(consumer::seek);
        } else {
          copier.commitTransaction();
          copied += records.count();
        }
      }
      // An empty one, and one that is aborted before anything was sent.
      copier.beginTransaction();
      copier.commitTransaction();
      copier.beginTransaction();
      copier.abortTransaction();
    }
    int count = 0;
    int sum = 0;
    try (KafkaConsumer<String, String> reader = consumer(broker, "readers")) {
      reader.subscribe(List.of("copy"));
      for (long end = System.currentTimeMillis() + 20000; count < COUNT && System.currentTimeMillis() < end; ) {
        for (ConsumerRecord<String, String> record : reader.poll(Duration.ofMillis(500))) {
          count++;
          sum += Integer.parseInt(record.value());
        }
      }
    }
    System.out.println("{\"count\":" + count + ",\"sum\":" + sum + "}");
  }

  static KafkaProducer<String, String> producer(String broker, String id) {
    Map<String, Object> config = new TreeMap<>(Map.of("bootstrap.servers", broker, "linger.ms", 0, "batch.size", 200));
    if (id != null) config.put("transactional.id", id);
    return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
  }

  static KafkaConsumer<String, String> consumer(String broker, String group) {
    Map<String, Object> config = new TreeMap<>(Map.of(
        "bootstrap.servers", broker, "group.id", group, "auto.offset.reset", "earliest", "enable.auto.commit", "false",
        "isolation.level", "read_committed", "max.poll.records", 40));
    return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
  }
}
