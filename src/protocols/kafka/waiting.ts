import type { RequestContext } from './handler.ts';

/** Waits for something that other clients bring about; when the connection ends first, `otherwise` is the outcome. */
export function whileConnected<T>(outcome: Promise<T>, otherwise: T, context: RequestContext): Promise<T> {
  return new Promise((resolve, reject) => {
    // What is waited for may be long in coming: when the connection has ended it holds nothing of it any more.
    let waiting: { readonly resolve: (value: T) => void; readonly reject: (error: unknown) => void } | undefined = {
      resolve,
      reject,
    };
    let leave: (() => void) | undefined;
    const end = () => {
      const ended = waiting;
      waiting = undefined;
      leave?.();
      leave = undefined;
      return ended;
    };
    leave = context.onClose(() => end()?.resolve(otherwise));
    outcome.then(
      (value) => end()?.resolve(value),
      (error: unknown) => end()?.reject(error),
    );
  });
}
