export { registerConnection as register } from './clients.ts';
