import { api, type RequestOf, type ResponseInput } from '../api.ts';
import { array, int8, int16, int32, string } from '../schema.ts';

/** Null users are all (KIP-554). Mechanisms: 1 SCRAM-SHA-256, 2 SCRAM-SHA-512. */
export const describeUserScramCredentials = api({
  key: 50,
  name: 'DescribeUserScramCredentials',
  versions: [0, 0],
  flexible: 0,
  request: { users: array({ name: string() }, { nullable: true }) },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    results: array({
      user: string(),
      errorCode: int16(),
      errorMessage: string({ nullable: true, default: null }),
      credentialInfos: array({ mechanism: int8(), iterations: int32() }),
    }),
  },
});

export type DescribeUserScramCredentialsRequest = RequestOf<typeof describeUserScramCredentials>;
export type DescribeUserScramCredentialsResponse = ResponseInput<typeof describeUserScramCredentials>;
