/*
 * A connection's bytes (AMQP 0-9-1, sections 2.3 and 4.2):
 *
 *   from the client, once:  'AMQP' 0 0 9 1
 *   both ways after that:   frame*
 *
 *   frame      => type:u8 channel:u16 size:u32 payload[size] 0xCE
 *   method     => class:u16 method:u16 arguments
 *   header     => class:u16 weight:u16 body size:u64 properties
 *   body       => bytes
 *   heartbeat  => nothing, on channel 0
 */

export const FRAME_METHOD = 1;
export const FRAME_HEADER = 2;
export const FRAME_BODY = 3;
export const FRAME_HEARTBEAT = 8;

export const FRAME_END = 0xce;

/** Type, channel and size. */
export const FRAME_HEAD_BYTES = 7;
/** What a frame has besides its payload. `frame_max` counts it. */
export const FRAME_OVERHEAD = 8;

/** Least `frame_max` that may be agreed on. */
export const MIN_FRAME_MAX = 4096;
/** What a peer takes before `frame_max` is agreed on: what it shows of itself may be large, say a token. */
export const INITIAL_FRAME_MAX = 8192;

/** Class, weight and body size in a header frame, before the properties. */
export const CONTENT_HEADER_BYTES = 12;
/** The class of all methods that have content. */
export const BASIC_CLASS = 60;

export const PROTOCOL_HEADER: Buffer = Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1]);
