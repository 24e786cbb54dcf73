import module from 'node:module';
import { type Command, Option } from 'commander';
import {
  createLogger,
  LOG_LEVELS,
  loadWithOrigins,
  type Settings,
  type SettingsInput,
  STORAGE_KINDS,
} from '../config/index.ts';
import type { Logger } from '../environment/logger.ts';
import { realEnvironment } from '../environment/real.ts';
import { several } from './arguments.ts';
import { collectLessOften, releaseMemory } from './heap.ts';
import { print } from './output.ts';
import { stopSignal } from './stop-signal.ts';

interface StartOptions {
  readonly config?: string;
  readonly data?: string;
  readonly storage?: Settings['storage']['kind'];
  readonly listen?: string[];
  readonly advertise?: string[];
  readonly logLevel?: Settings['logLevel'];
}

const EXAMPLES = `
Examples:
  sluice start                                             listens on 127.0.0.1:9092 for Kafka, :5672 for AMQP and :15672 for HTTP,
                                                           keeps its data in ./data
  sluice start --storage memory --listen kafka://127.0.0.1:0
                                                           a broker for a test: any free port, nothing on the disk
  sluice start --config sluice.yaml --log-level debug
  sluice start --listen kafka://0.0.0.0:9092 --advertise kafka://broker.example.com:9092
                                                           for clients on other machines

When all listeners accept connections, one line on standard output says so and where:
  sluice ready kafka://127.0.0.1:9092 amqp://127.0.0.1:5672 http://127.0.0.1:15672
Logs go to standard error. SIGTERM and SIGINT stop the broker when what is in flight is done; a second one stops it at once.

What else can be set: docs/configuration.md. Settings are taken from flags, else from SLUICE_... variables, else from
the file, else their defaults.
`;

export function register(program: Command): void {
  program
    .command('start')
    .description('run a broker')
    .option('--config <file>', 'take settings from this YAML file')
    .option('--data <directory>', 'keep data in this directory (default: ./data)')
    .addOption(
      new Option('--storage <kind>', 'keep data on disk or in memory only (default: disk)').choices(STORAGE_KINDS),
    )
    .option('--listen <url>', 'listen on PROTO://HOST:PORT; port 0 takes a free one; may be repeated', several)
    .option('--advertise <url>', 'tell clients to connect to PROTO://HOST:PORT; may be repeated', several)
    .addOption(new Option('--log-level <level>', 'log what is at least so severe (default: info)').choices(LOG_LEVELS))
    .addHelpText('after', EXAMPLES)
    .action(start);
}

async function start({ config, data, storage, listen, advertise, logLevel }: StartOptions): Promise<void> {
  const environment = realEnvironment();
  const stop = stopSignal(environment.clock);
  const flags: SettingsInput = {
    ...(listen && { listeners: listen }),
    ...(advertise && { advertise }),
    ...(logLevel && { logLevel }),
    storage: { ...(storage && { kind: storage }), ...(data && { directory: data }) },
  };
  const [loaded, { createBroker }] = await Promise.all([
    loadWithOrigins({ file: config, env: process.env, flags }),
    import('../index.ts'),
  ]);
  const { settings } = loaded;
  const logger = await createLogger({ level: settings.logLevel, terminal: process.stderr.isTTY === true });
  dieLoudly(logger);
  const broker = await createBroker({
    storage: settings.storage.kind,
    directory: settings.storage.directory,
    listeners: settings.listeners,
    advertise: settings.advertise,
    settings,
    loaded,
    logger,
    environment,
  });
  await print(`sluice ready ${broker.listeners.map(({ url }) => url).join(' ')}`);
  module.flushCompileCache?.();
  collectLessOften();
  releaseMemory();
  logger.info({ signal: await stop }, 'stopping: finishing what is in flight');
  await broker.close().catch((error: unknown) => {
    logger.error({ err: error }, 'could not stop as it should; what was acknowledged is recovered at the next start');
    process.exit(1);
  });
  logger.info({}, 'stopped');
  // Whatever a library keeps open must not keep a broker alive that has let go of everything.
  process.exit(0);
}

/** A bug leaves the broker in a state that nobody has thought about: recovery from the log is the way on. */
function dieLoudly(logger: Logger): void {
  process.on('uncaughtException', (error) => {
    logger.error({ err: error }, 'a bug in the broker: stopping; what was acknowledged is recovered at the next start');
    process.exit(1);
  });
}
