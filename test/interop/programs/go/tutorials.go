// RabbitMQ's Go client as the programs of RabbitMQ's tutorials use it: what it is told comes as arguments, what it receives
// goes to standard output. The arguments are described in test/amqp/clients/program.ts.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strconv"

	amqp "github.com/rabbitmq/amqp091-go"
)

func main() {
	log.SetFlags(0)
	command, url, name, rest := os.Args[1], os.Args[2], os.Args[3], os.Args[4:]
	connection := must(amqp.Dial(url))
	defer connection.Close()
	channel := must(connection.Channel())
	switch command {
	case "send":
		send(channel, name, rest[0] == "durable", rest[1:])
	case "work":
		work(channel, name, rest[0] == "durable", rest[1] == "acknowledge")
	case "emit":
		emit(channel, name, rest[0], rest[1:])
	case "subscribe":
		subscribe(channel, name, rest[0], rest[1:])
	case "call":
		call(channel, name, rest)
	case "serve":
		serve(channel, name)
	case "confirm":
		confirm(channel, name, rest)
	default:
		log.Fatalf("no such command: %s", command)
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func publish(channel *amqp.Channel, exchange, key string, message amqp.Publishing) {
	check(channel.PublishWithContext(context.Background(), exchange, key, false, false, message))
}

func message(body string, durable bool) amqp.Publishing {
	mode := amqp.Transient
	if durable {
		mode = amqp.Persistent
	}
	return amqp.Publishing{ContentType: "text/plain", DeliveryMode: mode, Body: []byte(body)}
}

func declare(channel *amqp.Channel, queue string, durable bool) {
	must(channel.QueueDeclare(queue, durable, false, false, false, nil))
}

func declareExchange(channel *amqp.Channel, exchange, kind string) {
	check(channel.ExchangeDeclare(exchange, kind, false, false, false, false, nil))
}

// Named by the broker.
func exclusiveQueue(channel *amqp.Channel) string {
	return must(channel.QueueDeclare("", false, false, true, false, nil)).Name
}

func send(channel *amqp.Channel, queue string, durable bool, bodies []string) {
	declare(channel, queue, durable)
	for _, body := range bodies {
		publish(channel, "", queue, message(body, durable))
	}
}

func work(channel *amqp.Channel, queue string, durable, acknowledge bool) {
	declare(channel, queue, durable)
	check(channel.Qos(1, 0, false))
	deliveries := must(channel.Consume(queue, "", false, false, false, false, nil))
	show(deliveries, func(delivery amqp.Delivery) {
		if acknowledge {
			check(delivery.Ack(false))
		}
	})
}

func emit(channel *amqp.Channel, exchange, kind string, messages []string) {
	declareExchange(channel, exchange, kind)
	for i := 0; i < len(messages); i += 2 {
		publish(channel, exchange, messages[i], message(messages[i+1], false))
	}
}

func subscribe(channel *amqp.Channel, exchange, kind string, keys []string) {
	declareExchange(channel, exchange, kind)
	queue := exclusiveQueue(channel)
	for _, key := range keys {
		check(channel.QueueBind(queue, key, exchange, false, nil))
	}
	show(must(channel.Consume(queue, "", true, false, false, false, nil)), func(amqp.Delivery) {})
}

func call(channel *amqp.Channel, queue string, numbers []string) {
	replies := exclusiveQueue(channel)
	answers := must(channel.Consume(replies, "", true, false, false, false, nil))
	for i, number := range numbers {
		request := message(number, false)
		request.CorrelationId = strconv.Itoa(i)
		request.ReplyTo = replies
		publish(channel, "", queue, request)
		for answer := range answers {
			if answer.CorrelationId == request.CorrelationId {
				fmt.Println(string(answer.Body))
				break
			}
		}
	}
}

func serve(channel *amqp.Channel, queue string) {
	declare(channel, queue, false)
	check(channel.Qos(1, 0, false))
	requests := must(channel.Consume(queue, "", false, false, false, false, nil))
	show(requests, func(request amqp.Delivery) {
		answer := message(strconv.Itoa(fibonacci(must(strconv.Atoi(string(request.Body))))), false)
		answer.CorrelationId = request.CorrelationId
		publish(channel, "", request.ReplyTo, answer)
		check(request.Ack(false))
	})
}

func confirm(channel *amqp.Channel, queue string, bodies []string) {
	declare(channel, queue, true)
	check(channel.Confirm(false))
	var pending []*amqp.DeferredConfirmation
	for _, body := range bodies {
		pending = append(pending, must(channel.PublishWithDeferredConfirmWithContext(
			context.Background(), "", queue, false, false, message(body, true))))
	}
	for _, confirmation := range pending {
		if !confirmation.Wait() {
			log.Fatal("a message was refused")
		}
	}
}

// Until standard input ends.
func show(deliveries <-chan amqp.Delivery, then func(amqp.Delivery)) {
	told := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(told)
	}()
	fmt.Println("ready")
	for {
		select {
		case <-told:
			return
		case delivery := <-deliveries:
			fmt.Printf("%s %s\n", delivery.RoutingKey, delivery.Body)
			then(delivery)
		}
	}
}

func fibonacci(n int) int {
	a, b := 0, 1
	for i := 0; i < n; i++ {
		a, b = b, a+b
	}
	return a
}
