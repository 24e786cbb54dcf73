import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { hasConfluent, PYTHON } from './clients/available.ts';
import { startBroker } from './fixture.ts';

const SCRIPT = fileURLToPath(new URL('clients/confluent_admin.py', import.meta.url));

test.skipIf(!hasConfluent)('the calls of librdkafka’s AdminClient, and what is refused', async () => {
  const { address } = await startBroker();
  const { stdout } = await promisify(execFile)(PYTHON, [SCRIPT, address]);
  expect(JSON.parse(stdout)).toEqual({
    validated: { t: null },
    created: { t: null, 'spa ce': 'TOPIC_EXCEPTION' },
    'created again': { t: 'TOPIC_ALREADY_EXISTS' },
    grown: { t: null, absent: 'UNKNOWN_TOPIC_OR_PART' },
    shrunk: { t: 'INVALID_PARTITIONS' },
    "topic's": { 'retention.ms': ['60000', false, false], 'cleanup.policy': ['delete', false, true] },
    "broker's": {
      'advertised.listeners': [`PLAINTEXT://${address}`, true, false],
      'log.retention.ms': ['604800000', false, true],
    },
    "nobody's": 'UNKNOWN_TOPIC_OR_PART',
    set: [null],
    'what was not set again': {
      'retention.ms': ['604800000', false, true],
      'cleanup.policy': ['compact', false, false],
    },
    'set wrong': ['INVALID_CONFIG'],
    brokers: [address],
    controller: 1,
    topics: { t: 3 },
    groups: [],
    deleted: { t: null, absent: 'UNKNOWN_TOPIC_OR_PART' },
  });
});
