import type { DeadLetterMessage } from '../../../src/protocols/http/shapes/dead-letters.ts';
import { count, time } from '../../format/index.ts';
import { Facts } from '../../kit/facts.tsx';
import { url } from '../../location.ts';
import { deadLetterWords, exchangeWords, messageWords } from '../../words/queues.ts';

const KNOWN = ['rejected', 'expired', 'maxlen', 'delivery_limit'] as const;

/** Why it died, for people; what is not known stays as it is. */
export function reasonText(reason: string): string {
  const known = KNOWN.find((each) => each === reason);
  return known === undefined ? reason : deadLetterWords[known];
}

type Dead = Pick<DeadLetterMessage, 'deaths' | 'origin'>;

/** How a message died, the latest first. */
export function Trail({ vhost, of: { deaths, origin } }: { readonly vhost: string; readonly of: Dead }) {
  if (origin !== null)
    return (
      <Facts
        of={[
          [deadLetterWords.reason, origin.message],
          [deadLetterWords.diedIn, <a href={url`/streams/${origin.topic}`}>{`${origin.topic}-${origin.partition}`}</a>],
          [deadLetterWords.offset, count(origin.offset)],
          [deadLetterWords.group, <a href={url`/groups/${origin.group}`}>{origin.group}</a>],
          [messageWords.deliveries, count(origin.delivery_count)],
        ]}
      />
    );
  if (deaths.length === 0) return <p class="muted">{deadLetterWords.noTrail}</p>;
  return (
    <ol class="trail">
      {deaths.map((death) => (
        <li key={`${death.queue} ${death.reason}`}>
          <Facts
            of={[
              [deadLetterWords.diedIn, <a href={url`/queues/${vhost}/${death.queue}`}>{death.queue}</a>],
              [deadLetterWords.reason, reasonText(death.reason)],
              [deadLetterWords.times, count(death.count)],
              [deadLetterWords.when, death.time === null ? undefined : time(death.time)],
              [deadLetterWords.publishedTo, death.exchange === '' ? exchangeWords.default : death.exchange],
              [messageWords.routingKey, <span class="mono">{death.routing_keys.join(', ')}</span>],
            ]}
          />
        </li>
      ))}
    </ol>
  );
}
