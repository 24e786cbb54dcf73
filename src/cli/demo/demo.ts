import type { Command } from 'commander';
import { ApiClient } from '../api/index.ts';
import { whole } from '../arguments.ts';
import { print } from '../output.ts';
import { OwnBroker } from '../own-broker.ts';
import { Narrator } from './narrator.ts';
import { play } from './story.ts';

/** Of one step, on a terminal. */
const PACE_MS = 1500;

export function register(program: Command): void {
  program
    .command('demo')
    .description('start a broker in memory, and see clients of every protocol talk to each other')
    .option('--keep', 'leave the broker running')
    .option('--pace <ms>', 'how long a step stands (default: 1500 on a terminal, else 0)', whole(0, 60_000))
    .addHelpText(
      'after',
      `
Examples:
  sluice demo
  sluice demo --keep            and then try what it says at the end

It takes free ports of this machine, and ends by itself or with Ctrl-C.
`,
    )
    .action(demo);
}

async function demo({ keep, pace }: { readonly keep?: true; readonly pace?: number }): Promise<void> {
  const interrupted = new AbortController();
  const broker = await OwnBroker.start({ stays: keep === true });
  let leaves = false;
  const stop = () => {
    interrupted.abort();
    // Whatever waits: the story is over.
    void broker.stop().then(() => process.exit(130));
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const { http, amqp, kafka } = broker.addresses;
  const url = new URL(`http://${http.host}:${http.port}`);
  const api = new ApiClient({ url, user: 'guest', password: 'guest', userGiven: false });
  try {
    const places = { kafka: `${kafka.host}:${kafka.port}`, amqp: `amqp://${amqp.host}:${amqp.port}`, http: url.origin };
    await print(
      `A broker in memory listens for Kafka on ${places.kafka}, for AMQP on ${places.amqp}, for HTTP on ${places.http}.`,
    );
    const narrator = new Narrator(pace ?? (process.stdout.isTTY ? PACE_MS : 0), interrupted.signal);
    await play({ narrator, api, amqp, kafka, signal: interrupted.signal });
    await print(keep ? nextWhenKept(places, broker.pid) : NEXT);
    leaves = keep === true;
  } finally {
    api.close();
    process.off('SIGINT', stop).off('SIGTERM', stop);
    if (!leaves) await broker.stop();
  }
}

const NEXT = `
The broker is gone again. Try next:
  sluice demo --keep              the same, and the broker stays for you
  sluice start                    a broker that keeps its data in ./data
  sluice --help`;

function nextWhenKept(
  { kafka, amqp, http }: Readonly<Record<'kafka' | 'amqp' | 'http', string>>,
  pid: number | undefined,
): string {
  return `
The broker stays. Try next:
  sluice top --url ${http}
  sluice queue list --url ${http}
  sluice queue publish mails hello --url ${http}
  sluice consume orders --from earliest --exit --broker ${kafka}
  any client of RabbitMQ with ${amqp} (guest, guest), any client of Kafka with ${kafka}
  ${http} in a browser
It ends with: kill ${pid}`;
}
