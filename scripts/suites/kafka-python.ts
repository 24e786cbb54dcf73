import { PYTHON, runPytest } from './pytest.ts';
import type { Suite } from './suite.ts';

/** Those of logins and TLS start brokers of their own. */
const FILES = ['admin', 'consumer', 'producer'].map((name) => `test/integration/test_${name}_integration.py`);
const TEST_LIMIT_SECONDS = 120;
/** Those that need one wait for it until then. */
const TEST_LIMIT_WITHOUT_BROKER_SECONDS = 5;

/** The integration tests of kafka-python (github.com/dpkp/kafka-python) that can do with a broker which is there already. */
export const kafkaPython: Suite = {
  name: 'kafka-python',
  marker: 'test/integration/fixtures.py',
  dependencies: {
    path: PYTHON,
    command:
      'python3 -m venv .venv && .venv/bin/pip install --editable . py pytest pytest-mock pytest-timeout python-snappy lz4 zstandard xxhash crc32c',
  },
  listeners: ['kafka://localhost:9092'],
  tlsListeners: [],
  // As the brokers that it starts have them: four partitions, access-control lists, short sessions, groups that do not wait.
  settings: {
    kafka: { brokerId: 0, numPartitions: 4, authorizer: 'acl', allowEveryoneIfNoAclFound: true },
    groups: { minSessionTimeoutMs: 1_000, initialRebalanceDelayMs: 0 },
  },
  timeLimitMs: 20 * 60_000,
  run: (order) =>
    runPytest(order, {
      files: FILES,
      limitSeconds: order.broker ? TEST_LIMIT_SECONDS : TEST_LIMIT_WITHOUT_BROKER_SECONDS,
      // It wants a folder of Kafka, and takes nothing out of it.
      env: { KAFKA_VERSION: '4.1.0', KAFKA_URI: 'kafka://localhost:9092', KAFKA_ROOT: order.checkout },
    }),
};
