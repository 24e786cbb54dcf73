import { SCRAM_MECHANISMS, type User } from '../../../broker/index.ts';
import {
  type DescribeUserScramCredentialsResponse,
  describeUserScramCredentials,
} from '../codec/apis/describe-user-scram-credentials.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { errorText } from '../errors.ts';
import { handler } from '../handler.ts';
import { DONE } from './admin/refusal.ts';
import { mechanismNumber } from './admin/scram-codes.ts';

type Result = DescribeUserScramCredentialsResponse['results'][number];

/** Who can log in by SCRAM, and with how many iterations; nothing of their secrets. */
export const describeUserScramCredentialsHandler = handler(
  describeUserScramCredentials,
  ({ users: wanted }, { broker: { users } }) => {
    if (wanted === null || wanted.length === 0) {
      const all = Array.from(users.all(), (user) => describe(user.name, user));
      return { ...DONE, results: all.filter(({ errorCode }) => errorCode === 0) };
    }
    const times = Map.groupBy(wanted, ({ name }) => name);
    const results = Array.from(times, ([name, { length }]) => {
      if (length === 1) return describe(name, users.get(name));
      const errorMessage = `Cannot describe SCRAM credentials for the same user twice in a single request: ${name}`;
      return {
        user: name,
        errorCode: KafkaError.DUPLICATE_RESOURCE,
        errorMessage: errorText(errorMessage),
        credentialInfos: [],
      };
    });
    return { ...DONE, results };
  },
  { answersMuch: true },
);

function describe(name: string, user: User | undefined): Result {
  const credentials = user?.record?.credentials.scram ?? {};
  const credentialInfos = SCRAM_MECHANISMS.flatMap((mechanism) => {
    const iterations = credentials[mechanism]?.iterations;
    return iterations === undefined ? [] : [{ mechanism: mechanismNumber(mechanism), iterations }];
  });
  if (credentialInfos.length > 0) return { user: name, ...DONE, credentialInfos };
  const errorMessage = `Attempt to describe a user credential that does not exist: ${name}`;
  return {
    user: name,
    errorCode: KafkaError.RESOURCE_NOT_FOUND,
    errorMessage: errorText(errorMessage),
    credentialInfos,
  };
}
