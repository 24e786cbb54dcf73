/** What services log: the words that come first come oftenest. */
const WORDS = (
  'order user payment ms in the of for to accepted status=200 GET POST /api/v1/orders /api/v1/users cart item price ' +
  'EUR USD shipped delivered cancelled refund warehouse stock session login logout token expired retry timeout error ' +
  'warning info debug request response latency cache hit miss database query connection pool thread customer address ' +
  'street city country invoice receipt discount coupon voucher basket checkout'
).split(' ');
/** One word in so many is a number, as ids and durations are. */
const NUMBER_EVERY = 5;
const TWO_32 = 2 ** 32;

/** Text that compresses about as well as logs do (gzip: to a third or so), the same each time for the same seed. */
export function text(seed: number, length: number): Buffer {
  const next = randomNumbers(seed);
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; ) {
    const isNumber = next() * NUMBER_EVERY < 1;
    const word = WORDS[Math.floor(next() ** 2 * WORDS.length)] ?? '';
    at += bytes.write(isNumber ? `${Math.floor(next() * 1e6)} ` : `${word} `, at, 'latin1');
  }
  return bytes;
}

/** Numbers from 0 to below 1, by a generator that needs no more than 32 bits of state (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / TWO_32;
  };
}
