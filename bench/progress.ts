const STALLED_MS = 60_000;

/** Resolves as the given promise does, unless for a minute nothing comes to what is counted: then what is waited for never comes. */
export async function whileProgressing<T>(what: string, count: () => number, promise: Promise<T>): Promise<T> {
  const { promise: stalled, reject } = Promise.withResolvers<never>();
  let last = count();
  const timer = setInterval(() => {
    const now = count();
    if (now === last) reject(new Error(`${what}: ${now}, and no more for ${STALLED_MS} ms`));
    last = now;
  }, STALLED_MS);
  try {
    return await Promise.race([promise, stalled]);
  } finally {
    clearInterval(timer);
  }
}
