export { HttpListener } from './listener.ts';
export type { ListenerFacts } from './server-facts.ts';
