import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/**
 * As Debezium writes: changes of a table's rows by an idempotent producer with several requests in flight, and each change of a schema to a topic
 * of one partition that is kept for ever and read from its beginning to its end, as at a start. It says `halfway` twice, with records on their way, and
 * goes on when there is a line on standard input. In the end it says what is there.
 */
public class ChangeCapture {
  static final int ROWS = 50;
  static final int CHANGES = 400;
  static final int PARTITIONS = 3;
  static final String SCHEMAS = "schema-history";
  static String broker;

  public static void main(String[] args) throws Exception {
    broker = args[0];
    var input = new BufferedReader(new InputStreamReader(System.in));
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker))) {
      var forEver = Map.of("cleanup.policy", "delete", "retention.ms", "-1", "retention.bytes", "-1");
      var topics = List.of(new NewTopic("rows", PARTITIONS, (short) 1), new NewTopic(SCHEMAS, 1, (short) 1).configs(forEver));
      admin.createTopics(topics).all().get();
    }
    var errors = new ConcurrentLinkedQueue<String>();
    int schemas = 0;
    List<Integer> recovered = new ArrayList<>();
    try (var producer = producer(5); var history = producer(1)) {
      for (int change = 0; change < CHANGES; change++) {
        // The history is written by word: nothing goes on before it is there.
        if (change % 40 == 0) {
          history.send(new ProducerRecord<>(SCHEMAS, 0, null, "schema-" + schemas++)).get();
          recovered.add(recover().size());
        }
        Future<RecordMetadata> last = null;
        for (int row = 0; row < ROWS; row++)
          last = producer.send(new ProducerRecord<>("rows", "row-" + row, "" + change), (metadata, error) -> {
            if (error != null) errors.add(error.toString());
          });
        if (change == CHANGES / 4 || change == CHANGES / 2) {
          // What is on its way when the broker goes is not waited for.
          System.out.println("{\"name\":\"halfway\"}");
          for (int i = 0; i < 20_000; i++)
            producer.send(new ProducerRecord<>("rows", i % PARTITIONS, "filler", change + " " + i), (metadata, error) -> {
              if (error != null) errors.add(error.toString());
            });
          input.readLine();
        } else if (change % 10 == 0) {
          last.get();
        }
      }
    }
    boolean inOrder = recover().equals(numbered("schema-", schemas)) && recovered.equals(upTo(schemas));
    System.out.printf("{\"name\":\"done\",\"errors\":%d,\"history\":%s,\"rows\":\"%s\"}%n", errors.size(), inOrder, rows());
  }

  /** As Debezium's connectors have it. */
  static KafkaProducer<String, String> producer(int inFlight) {
    var serializer = new StringSerializer();
    Map<String, Object> settings = Map.of("bootstrap.servers", broker, "enable.idempotence", true, "acks", "all",
        "max.in.flight.requests.per.connection", inFlight, "retries", Integer.MAX_VALUE, "compression.type", "lz4",
        "delivery.timeout.ms", 120_000, "linger.ms", 5, "batch.size", 16_384);
    return new KafkaProducer<>(settings, serializer, serializer);
  }

  static KafkaConsumer<String, String> consumer() {
    Map<String, Object> settings = Map.of("bootstrap.servers", broker, "auto.offset.reset", "earliest", "enable.auto.commit", false);
    return new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer());
  }

  /** All of the history, up to the end that it has now. */
  static List<String> recover() {
    List<String> found = new ArrayList<>();
    try (var consumer = consumer()) {
      var partition = new TopicPartition(SCHEMAS, 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end)
        consumer.poll(Duration.ofMillis(100)).forEach(record -> found.add(record.value()));
    }
    return found;
  }

  /** What is wrong with the changes of the rows; nothing, when each is there once and in order. */
  static String rows() {
    Map<String, Integer> next = new HashMap<>();
    Map<Integer, List<String>> fillers = new HashMap<>();
    try (var consumer = consumer()) {
      List<TopicPartition> partitions = new ArrayList<>();
      for (int i = 0; i < PARTITIONS; i++) partitions.add(new TopicPartition("rows", i));
      consumer.assign(partitions);
      var ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition)))
        for (var record : consumer.poll(Duration.ofMillis(100))) {
          if (record.key().equals("filler")) {
            fillers.computeIfAbsent(record.partition(), partition -> new ArrayList<>()).add(record.value());
          } else {
            int wanted = next.getOrDefault(record.key(), 0);
            if (Integer.parseInt(record.value()) != wanted) return record.key() + " has " + record.value() + " instead of " + wanted;
            next.put(record.key(), wanted + 1);
          }
        }
    }
    for (int row = 0; row < ROWS; row++)
      if (next.getOrDefault("row-" + row, 0) != CHANGES) return "row-" + row + " ends with " + next.get("row-" + row);
    for (int partition = 0; partition < PARTITIONS; partition++) {
      List<String> wanted = new ArrayList<>();
      for (int change : new int[] {CHANGES / 4, CHANGES / 2})
        for (int i = partition; i < 20_000; i += PARTITIONS) wanted.add(change + " " + i);
      if (!wanted.equals(fillers.get(partition))) return "partition " + partition + " has other fillers";
    }
    return "once, in order";
  }

  static List<String> numbered(String name, int count) {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < count; i++) all.add(name + i);
    return all;
  }

  static List<Integer> upTo(int count) {
    List<Integer> all = new ArrayList<>();
    for (int i = 1; i <= count; i++) all.add(i);
    return all;
  }
}
