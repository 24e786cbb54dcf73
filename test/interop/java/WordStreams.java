import java.time.Duration;
import java.util.Arrays;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TimeWindows;

/**
 * An application of Kafka Streams with exactly_once_v2. Of the words in `lines` it writes, each as text:
 * to `counts` every step of each word's count, to `windows` of its count in ten seconds (key `WORD@START`), to `coloured` the word with its colour in the table `colours`.
 * Says `{"state":"..."}` whenever that changes; ends, orderly, by SIGTERM.
 */
public class WordStreams {
  public static void main(String[] args) throws Exception {
    String broker = args[0];
    String directory = args[1];
    var streams = new KafkaStreams(topology(), config(broker, directory));
    var ended = new CountDownLatch(1);
    streams.setStateListener((now, before) -> System.out.println("{\"state\":\"" + now + "\"}"));
    streams.setUncaughtExceptionHandler(failure -> {
      System.out.println("{\"state\":\"FAILED\",\"error\":\"" + failure.toString().replaceAll("[^ -~]|[\"\\\\]", " ") + "\"}");
      return StreamThreadExceptionResponse.REPLACE_THREAD;
    });
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      streams.close(Duration.ofSeconds(30));
      ended.countDown();
    }));
    streams.start();
    ended.await();
  }

  static Topology topology() {
    var builder = new StreamsBuilder();
    KTable<String, String> colours = builder.table("colours");
    KStream<String, String> words = builder.<String, String>stream("lines")
        .flatMap((line, text) -> Arrays.stream(text.split(" ")).map(word -> KeyValue.pair(word, line)).toList());
    var byWord = words.groupByKey(Grouped.as("words"));
    byWord.count(Materialized.as("count-store")).toStream().mapValues(String::valueOf).to("counts");
    byWord.windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofSeconds(10), Duration.ofDays(1)))
        .count(Materialized.as("window-store"))
        .toStream()
        .map((word, count) -> KeyValue.pair(word.key() + "@" + word.window().start(), String.valueOf(count)))
        .to("windows");
    words.join(colours, (line, colour) -> line + " " + colour).to("coloured");
    return builder.build();
  }

  static Properties config(String broker, String directory) {
    var config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, "words");
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, broker);
    config.put(StreamsConfig.STATE_DIR_CONFIG, directory);
    config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 2);
    config.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    config.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
    // Every step is written, not the last of some.
    config.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
    config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 200);
    // Who was killed is not missed for long.
    config.put(StreamsConfig.consumerPrefix("session.timeout.ms"), 6000);
    config.put(StreamsConfig.consumerPrefix("heartbeat.interval.ms"), 500);
    config.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
    config.put(StreamsConfig.consumerPrefix("max.poll.records"), 50);
    config.put(StreamsConfig.producerPrefix("transaction.timeout.ms"), 10000);
    return config;
  }
}
