export { AmqpListener, type AmqpListenerOptions } from './listener.ts';
export { ReplyChannels } from './reply-to.ts';
