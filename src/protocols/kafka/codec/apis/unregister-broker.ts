import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { int16, int32, string } from '../schema.ts';

/** Of a cluster without ZooKeeper (KIP-500). */
export const unregisterBroker = api({
  key: 64,
  name: 'UnregisterBroker',
  versions: [0, 0],
  flexible: 0,
  request: { brokerId: int32() },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
  },
});

export type UnregisterBrokerRequest = RequestOf<typeof unregisterBroker>;
export type UnregisterBrokerResponse = ResponseInput<typeof unregisterBroker>;
