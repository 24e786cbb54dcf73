export { murmur2, partitionOf } from '../records/index.ts';
export { type ConsumedRecord, type ConsumeOptions, consume } from './consumer.ts';
export * from './groups.ts';
export { KafkaClient, type KafkaClientOptions, type RequestOptions, type TlsOptions } from './kafka-client.ts';
export { kafkaError, throwOnError } from './kafka-error.ts';
export * from './offsets.ts';
export { type Produced, Producer, type ProducerOptions } from './producer.ts';
export { type Login, SASL_MECHANISMS, type SaslMechanism } from './sasl.ts';
export * from './topics.ts';
