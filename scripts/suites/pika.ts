import { PYTHON, runPytest } from './pytest.ts';
import type { Suite } from './suite.ts';

/** Those that connect to a broker; `io_services` and the bounded queue's do not. */
const FILES = [
  'tests/acceptance/async_adapter_tests.py',
  'tests/acceptance/blocking_adapter_test.py',
  'tests/acceptance/thread_safe_connection_test.py',
  'tests/acceptance/twisted_adapter_tests.py',
];
/** Tests end themselves after 15 seconds; those that hang in the client after this. */
const TEST_LIMIT_SECONDS = 60;

/** The acceptance tests of pika (github.com/pika/pika), with each of its adapters, in plain text. */
export const pika: Suite = {
  name: 'pika',
  marker: 'tests/acceptance/blocking_adapter_test.py',
  dependencies: {
    path: PYTHON,
    command: 'python3 -m venv .venv && .venv/bin/pip install --editable . pytest pytest-timeout tornado gevent twisted',
  },
  // Some of its tests say localhost, some 127.0.0.1.
  listeners: ['amqp://localhost:5672'],
  tlsListeners: [],
  settings: {},
  timeLimitMs: 40 * 60_000,
  run: (order) => runPytest(order, { files: FILES, limitSeconds: TEST_LIMIT_SECONDS }),
};
