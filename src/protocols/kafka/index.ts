export { KafkaListener, type KafkaListenerOptions } from './listener.ts';
export { subscribedTopics } from './subscribed-topics.ts';
