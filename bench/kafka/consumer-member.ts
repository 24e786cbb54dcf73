import { randomUUID } from 'node:crypto';
import {
  type ConsumerGroupHeartbeatRequest,
  consumerGroupHeartbeat,
} from '../../src/protocols/kafka/codec/apis/consumer-group-heartbeat.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import { GroupMember, REBALANCE_TIMEOUT_MS } from './group-member.ts';

const VERSION = 1;
const JOINS = 0;
const LEAVES = -1;

/** A member of the protocol of KIP-848: the broker assigns, and it says at once that it has done as it was told. */
export class ConsumerMember extends GroupMember {
  readonly id = randomUUID();
  #memberEpoch = JOINS;
  #heartbeatMs = 0;

  protected async stay(): Promise<void> {
    const { topic } = this.options;
    const first = { rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS, subscribedTopicNames: [topic], topicPartitions: [] };
    let changed = await this.#beat(first);
    while (!this.hasLeft) {
      if (!changed) await this.untilHeartbeat(this.#heartbeatMs);
      if (this.hasLeft) return;
      const { topicId, owners } = this.options;
      const partitions = [...owners.partitionsOf(this)];
      changed = await this.#beat(changed ? { topicPartitions: [{ topicId, partitions }] } : {});
    }
  }

  protected async sayGoodbye(): Promise<void> {
    this.#memberEpoch = LEAVES;
    await this.#beat({});
  }

  /** Answers whether the broker has another assignment for it, which it has taken then. */
  async #beat(body: Partial<ConsumerGroupHeartbeatRequest>): Promise<boolean> {
    const { groupId, topicId, owners } = this.options;
    const answer = await this.connection.request(consumerGroupHeartbeat, VERSION, {
      groupId,
      memberId: this.id,
      memberEpoch: this.#memberEpoch,
      ...body,
    });
    const { errorCode, errorMessage, memberEpoch, heartbeatIntervalMs, assignment } = answer;
    if (errorCode !== KafkaError.NONE)
      throw new Error(`ConsumerGroupHeartbeat was answered with error ${errorCode}: ${errorMessage}`);
    this.#memberEpoch = memberEpoch;
    this.#heartbeatMs = heartbeatIntervalMs;
    if (assignment === null) return false;
    const partitions = assignment.topicPartitions.flatMap((assigned) => {
      if (assigned.topicId !== topicId) throw new Error(`there is no topic ${assigned.topicId}`);
      return assigned.partitions;
    });
    const before = new Set(owners.partitionsOf(this));
    if (partitions.length === before.size && partitions.every((partition) => before.has(partition))) return false;
    owners.set(this, partitions);
    return true;
  }
}
