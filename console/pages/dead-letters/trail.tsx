import type { DeadLetterMessage } from '../../../src/protocols/http/shapes/dead-letters.ts';
import { count, time } from '../../format/index.ts';
import { Facts } from '../../kit/facts.tsx';
import { deadLetterWords, exchangeWords, messageWords } from '../../words/queues.ts';

const KNOWN = ['rejected', 'expired', 'maxlen', 'delivery_limit'] as const;

/** Why it died, for people; what is not known stays as it is. */
export function reasonText(reason: string): string {
  const known = KNOWN.find((each) => each === reason);
  return known === undefined ? reason : deadLetterWords[known];
}

type Dead = Pick<DeadLetterMessage, 'deaths' | 'origin'>;

/** How a message died, the latest first. */
export function Trail({ of: { deaths, origin } }: { readonly of: Dead }) {
  if (origin !== null)
    return (
      <Facts
        of={[
          [deadLetterWords.reason, origin.message],
          [deadLetterWords.diedIn, `${origin.topic}-${origin.partition}`],
          [deadLetterWords.offset, count(origin.offset)],
          [deadLetterWords.group, origin.group],
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
              [deadLetterWords.diedIn, death.queue],
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
