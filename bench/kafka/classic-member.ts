import { heartbeat } from '../../src/protocols/kafka/codec/apis/heartbeat.ts';
import { joinGroup } from '../../src/protocols/kafka/codec/apis/join-group.ts';
import { leaveGroup } from '../../src/protocols/kafka/codec/apis/leave-group.ts';
import { syncGroup } from '../../src/protocols/kafka/codec/apis/sync-group.ts';
import {
  decodeAssignment,
  encodeAssignment,
  encodeSubscription,
  LATEST_VERSION,
} from '../../src/protocols/kafka/codec/consumer-protocol.ts';
import { KafkaError } from '../../src/protocols/kafka/codec/error-codes.ts';
import type { Decoded } from '../../src/protocols/kafka/codec/schema.ts';
import { GroupMember, REBALANCE_TIMEOUT_MS, SESSION_TIMEOUT_MS } from './group-member.ts';

const VERSIONS = { join: 9, sync: 5, heartbeat: 4, leave: 5 } as const;
const TYPE = 'consumer';
const ASSIGNOR = 'range';

type Joined = Decoded<typeof joinGroup.response.fields>;

/** A member of the classic protocol that gives up everything when it joins anew, and assigns by ranges when it leads. */
export class ClassicMember extends GroupMember {
  #memberId = '';
  #generationId = -1;

  get id(): string {
    return this.#memberId;
  }

  protected async stay(): Promise<void> {
    while (!this.hasLeft) {
      const joined = await this.#join();
      const isMember = await this.#sync(joined);
      if (isMember) await this.#beat();
    }
  }

  protected async sayGoodbye(): Promise<void> {
    const members = [{ memberId: this.#memberId, groupInstanceId: null, reason: null }];
    const {
      errorCode,
      members: [left],
    } = await this.connection.request(leaveGroup, VERSIONS.leave, {
      groupId: this.options.groupId,
      members,
    });
    expectNoError('LeaveGroup', errorCode || (left?.errorCode ?? 0));
  }

  /** A member that is new is given its id and sent away, to come again with it. */
  async #join(): Promise<Joined> {
    this.options.owners.set(this, []);
    const { groupId, topic } = this.options;
    const metadata = encodeSubscription({ topics: [topic] }, LATEST_VERSION);
    for (;;) {
      const isNew = this.#memberId === '';
      const joined = await this.connection.request(joinGroup, VERSIONS.join, {
        groupId,
        sessionTimeoutMs: SESSION_TIMEOUT_MS,
        rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS,
        memberId: this.#memberId,
        protocolType: TYPE,
        protocols: [{ name: ASSIGNOR, metadata }],
      });
      this.#memberId = joined.memberId;
      if (isNew && joined.errorCode === KafkaError.MEMBER_ID_REQUIRED) continue;
      expectNoError('JoinGroup', joined.errorCode);
      this.#generationId = joined.generationId;
      return joined;
    }
  }

  /** Answers false when others have made it necessary to join anew. */
  async #sync({ leader, members }: Joined): Promise<boolean> {
    const isLeader = leader === this.#memberId;
    const { errorCode, assignment } = await this.connection.request(syncGroup, VERSIONS.sync, {
      ...this.#identity,
      protocolType: TYPE,
      protocolName: ASSIGNOR,
      assignments: isLeader ? this.#assign(members.map(({ memberId }) => memberId)) : [],
    });
    if (errorCode === KafkaError.REBALANCE_IN_PROGRESS) return false;
    expectNoError('SyncGroup', errorCode);
    const { assignedPartitions } = decodeAssignment(assignment);
    this.options.owners.set(
      this,
      assignedPartitions.flatMap(({ partitions }) => partitions),
    );
    return true;
  }

  /** Until the group is to be joined anew. */
  async #beat(): Promise<void> {
    for (;;) {
      await this.untilHeartbeat(this.options.heartbeatMs);
      if (this.hasLeft) return;
      const { errorCode } = await this.connection.request(heartbeat, VERSIONS.heartbeat, this.#identity);
      if (errorCode === KafkaError.REBALANCE_IN_PROGRESS) return;
      expectNoError('Heartbeat', errorCode);
    }
  }

  get #identity() {
    return { groupId: this.options.groupId, generationId: this.#generationId, memberId: this.#memberId };
  }

  #assign(memberIds: readonly string[]) {
    const { topic, partitions } = this.options;
    const all = Array.from({ length: partitions }, (_, partition) => partition);
    const start = (index: number) => Math.floor((index * partitions) / memberIds.length);
    return memberIds.map((memberId, index) => {
      const assignedPartitions = [{ topic, partitions: all.slice(start(index), start(index + 1)) }];
      return { memberId, assignment: encodeAssignment({ assignedPartitions }, LATEST_VERSION) };
    });
  }
}

function expectNoError(what: string, errorCode: number): void {
  if (errorCode !== KafkaError.NONE) throw new Error(`${what} was answered with error ${errorCode}`);
}
