import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DeliverCallback;
import com.rabbitmq.client.MessageProperties;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;

/**
 * RabbitMQ's Java client as the programs of RabbitMQ's tutorials use it: what it is told comes as arguments, what it receives
 * goes to standard output. The arguments are described in test/amqp/clients/program.ts.
 */
public final class Tutorials {
  private static final long CONFIRM_TIMEOUT_MS = 30_000;

  private final Connection connection;
  private final Channel channel;

  private Tutorials(String url) throws Exception {
    ConnectionFactory factory = new ConnectionFactory();
    factory.setUri(url);
    connection = factory.newConnection();
    channel = connection.createChannel();
  }

  public static void main(String[] args) throws Exception {
    Tutorials program = new Tutorials(args[1]);
    String name = args[2];
    List<String> rest = Arrays.asList(args).subList(3, args.length);
    switch (args[0]) {
      case "send" -> program.send(name, rest.get(0).equals("durable"), rest.subList(1, rest.size()));
      case "work" -> program.work(name, rest.get(0).equals("durable"), rest.get(1).equals("acknowledge"));
      case "emit" -> program.emit(name, rest.get(0), rest.subList(1, rest.size()));
      case "subscribe" -> program.subscribe(name, rest.get(0), rest.subList(1, rest.size()));
      case "call" -> program.call(name, rest);
      case "serve" -> program.serve(name);
      case "confirm" -> program.confirm(name, rest);
      default -> throw new IllegalArgumentException("no such command: " + args[0]);
    }
    program.connection.close();
  }

  private void send(String queue, boolean durable, List<String> bodies) throws Exception {
    channel.queueDeclare(queue, durable, false, false, null);
    for (String body : bodies) {
      channel.basicPublish("", queue, durable ? MessageProperties.PERSISTENT_TEXT_PLAIN : null, bytes(body));
    }
  }

  private void work(String queue, boolean durable, boolean acknowledge) throws Exception {
    channel.queueDeclare(queue, durable, false, false, null);
    channel.basicQos(1);
    DeliverCallback onMessage = (tag, message) -> {
      show(message.getEnvelope().getRoutingKey(), message.getBody());
      if (acknowledge) {
        channel.basicAck(message.getEnvelope().getDeliveryTag(), false);
      }
    };
    channel.basicConsume(queue, false, onMessage, tag -> { });
    untilToldToEnd();
  }

  private void emit(String exchange, String type, List<String> messages) throws Exception {
    channel.exchangeDeclare(exchange, type);
    for (int i = 0; i < messages.size(); i += 2) {
      channel.basicPublish(exchange, messages.get(i), null, bytes(messages.get(i + 1)));
    }
  }

  private void subscribe(String exchange, String type, List<String> keys) throws Exception {
    channel.exchangeDeclare(exchange, type);
    // Named by the broker, exclusive, auto-delete.
    String queue = channel.queueDeclare().getQueue();
    for (String key : keys) {
      channel.queueBind(queue, exchange, key);
    }
    DeliverCallback onMessage = (tag, message) -> show(message.getEnvelope().getRoutingKey(), message.getBody());
    channel.basicConsume(queue, true, onMessage, tag -> { });
    untilToldToEnd();
  }

  private void call(String queue, List<String> numbers) throws Exception {
    for (String number : numbers) {
      String id = UUID.randomUUID().toString();
      String replyTo = channel.queueDeclare().getQueue();
      AMQP.BasicProperties properties =
          new AMQP.BasicProperties.Builder().correlationId(id).replyTo(replyTo).build();
      channel.basicPublish("", queue, properties, bytes(number));
      CompletableFuture<byte[]> answer = new CompletableFuture<>();
      String tag = channel.basicConsume(replyTo, true, (consumer, message) -> {
        if (message.getProperties().getCorrelationId().equals(id)) {
          answer.complete(message.getBody());
        }
      }, consumer -> { });
      System.out.println(new String(answer.get(), StandardCharsets.UTF_8));
      channel.basicCancel(tag);
    }
  }

  private void serve(String queue) throws Exception {
    channel.queueDeclare(queue, false, false, false, null);
    channel.basicQos(1);
    channel.basicConsume(queue, false, (tag, message) -> {
      show(message.getEnvelope().getRoutingKey(), message.getBody());
      AMQP.BasicProperties request = message.getProperties();
      AMQP.BasicProperties properties =
          new AMQP.BasicProperties.Builder().correlationId(request.getCorrelationId()).build();
      long answer = fibonacci(Integer.parseInt(new String(message.getBody(), StandardCharsets.UTF_8)));
      channel.basicPublish("", request.getReplyTo(), properties, bytes(Long.toString(answer)));
      channel.basicAck(message.getEnvelope().getDeliveryTag(), false);
    }, tag -> { });
    untilToldToEnd();
  }

  private void confirm(String queue, List<String> bodies) throws Exception {
    channel.queueDeclare(queue, true, false, false, null);
    channel.confirmSelect();
    for (String body : bodies) {
      channel.basicPublish("", queue, MessageProperties.PERSISTENT_TEXT_PLAIN, bytes(body));
    }
    channel.waitForConfirmsOrDie(CONFIRM_TIMEOUT_MS);
  }

  private static void untilToldToEnd() throws Exception {
    System.out.println("ready");
    while (System.in.read() >= 0) {
      // Whatever it says: it is its end that counts.
    }
  }

  private static synchronized void show(String key, byte[] body) {
    System.out.println(key + " " + new String(body, StandardCharsets.UTF_8));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static long fibonacci(int n) {
    long a = 0;
    long b = 1;
    for (int i = 0; i < n; i++) {
      long next = a + b;
      a = b;
      b = next;
    }
    return a;
  }
}
