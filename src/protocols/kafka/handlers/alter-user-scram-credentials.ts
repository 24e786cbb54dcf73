import { scramCredential } from '../../../broker/index.ts';
import {
  type AlterUserScramCredentialsRequest,
  alterUserScramCredentials,
} from '../codec/apis/alter-user-scram-credentials.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler, type RequestContext } from '../handler.ts';
import { DONE, type Outcome, Refusal, refused } from './admin/refusal.ts';
import { mechanismOf } from './admin/scram-codes.ts';

type Upsertion = AlterUserScramCredentialsRequest['upsertions'][number];
type Deletion = AlterUserScramCredentialsRequest['deletions'][number];

/** Gives users credentials, or takes them away, of each user one (KIP-554). The client has salted the password itself. */
export const alterUserScramCredentialsHandler = handler(
  alterUserScramCredentials,
  async ({ deletions, upsertions }, context) => {
    const changes = Map.groupBy<string, Upsertion | Deletion>([...deletions, ...upsertions], ({ name }) => name);
    const results = Array.from(changes, async ([user, [change, ...others]]) => ({
      user,
      ...(await alter(others.length > 0 ? undefined : change, context)),
    }));
    return { results: await Promise.all(results) };
  },
);

async function alter(change: Upsertion | Deletion | undefined, context: RequestContext): Promise<Outcome> {
  const { users } = context.broker;
  try {
    if (change === undefined)
      throw new Refusal(KafkaError.DUPLICATE_RESOURCE, 'A user credential cannot be altered twice in the same request');
    if (change.name === '') throw new Refusal(KafkaError.UNACCEPTABLE_CREDENTIAL, 'Username must not be empty');
    const mechanism = mechanismOf(change.mechanism);
    if ('salt' in change) await users.setScram(change.name, mechanism, scramCredential(mechanism, change));
    else await users.clearScram(change.name, mechanism);
    return DONE;
  } catch (error) {
    return refused(error, context, {
      'not-found': KafkaError.RESOURCE_NOT_FOUND,
      'invalid-configuration': KafkaError.UNACCEPTABLE_CREDENTIAL,
    });
  }
}
