import { findCoordinator } from '../codec/apis/find-coordinator.ts';
import { KafkaError } from '../codec/error-codes.ts';
import { handler } from '../handler.ts';

const GROUP = 0;
const TRANSACTION = 1;

/** Who coordinates a group, or the transactions of a transactional id: this broker. */
export const findCoordinatorHandler = handler(
  findCoordinator,
  ({ key, keyType, coordinatorKeys }, { broker, endpoint, version }) => {
    const find = (groupId: string) => {
      const refused = refusal(groupId, keyType);
      const node =
        refused === undefined ? { nodeId: broker.settings.nodeId, ...endpoint } : { nodeId: -1, host: '', port: -1 };
      return { ...node, errorCode: refused?.errorCode ?? KafkaError.NONE, errorMessage: refused?.errorMessage ?? null };
    };
    if (version >= 4) return { coordinators: coordinatorKeys.map((groupId) => ({ key: groupId, ...find(groupId) })) };
    return find(key);
  },
);

function refusal(key: string, keyType: number): { errorCode: number; errorMessage: string } | undefined {
  if (keyType === GROUP)
    return key === '' ? { errorCode: KafkaError.INVALID_GROUP_ID, errorMessage: 'The group id is empty.' } : undefined;
  if (keyType === TRANSACTION) {
    return key === ''
      ? { errorCode: KafkaError.INVALID_REQUEST, errorMessage: 'The transactional id is empty.' }
      : undefined;
  }
  return {
    errorCode: KafkaError.INVALID_REQUEST,
    errorMessage: `Coordinators of key type ${keyType} are not supported.`,
  };
}
