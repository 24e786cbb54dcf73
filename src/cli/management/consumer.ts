export { registerConsumer as register } from './clients.ts';
