import { fileURLToPath } from 'node:url';
import { BrokerProcess } from '../broker-process.ts';
import type { Peer } from './peer.ts';

export interface SluiceOptions {
  /** The protocol that it is measured with. */
  readonly listen: 'kafka' | 'amqp';
  readonly storage: 'disk' | 'memory';
  readonly flush: 'always' | 'interval' | 'os';
  /** Of Kafka topics. */
  readonly partitions?: number;
  /** How often members of groups of the consumer protocol come; as the broker has it, without it. */
  readonly heartbeatMs?: number | undefined;
  /** Where the broker's CPU profile is to go, if it is to be profiled. */
  readonly profileDirectory?: string | undefined;
}

const SLUICE = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));
const READY = /^sluice ready\b.*\b(\w+):\/\/([\d.]+):(\d+)/;

export function sluice({ listen, storage, flush, partitions = 1, heartbeatMs, profileDirectory }: SluiceOptions): Peer {
  const name = storage === 'memory' ? 'sluice (memory)' : `sluice (flush ${flush})`;
  const profile = profileDirectory === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profileDirectory];
  const start = ['start', '--listen', `${listen}://127.0.0.1:0`, '--log-level', 'warn'];
  return {
    name,
    durable: storage === 'disk',
    profileDirectory,
    start: (directory) =>
      BrokerProcess.start({
        name,
        command: process.execPath,
        args: [...profile, SLUICE, ...start, '--storage', storage, '--data', directory],
        environment: {
          SLUICE_STORAGE_FLUSH: flush,
          SLUICE_KAFKA_NUM_PARTITIONS: String(partitions),
          ...(heartbeatMs !== undefined && { SLUICE_GROUPS_CONSUMER_HEARTBEAT_INTERVAL_MS: String(heartbeatMs) }),
        },
        ready: (output) =>
          new Promise((resolve) => {
            output((line) => {
              const [, scheme, host, port] = READY.exec(line) ?? [];
              if (scheme === listen && host !== undefined) resolve({ host, port: Number(port) });
            });
          }),
      }),
  };
}
