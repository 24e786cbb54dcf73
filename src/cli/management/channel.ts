export { registerChannel as register } from './clients.ts';
