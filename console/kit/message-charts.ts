import { byteRate, bytes, compact, rate } from '../format/index.ts';
import { statisticsWords } from '../words/statistics.ts';
import type { HistoryChart } from './history.tsx';

/*
 * Charts that several pages show, for `History`. Functions, since their words are of the language that is chosen.
 */

/** What is done with messages: of the broker, virtual hosts, queues, channels. */
export function messageRates(): HistoryChart {
  return {
    title: statisticsWords.messageRates,
    format: rate,
    lines: [
      ['publish', statisticsWords.published],
      ['confirm', statisticsWords.confirmed],
      ['deliver_get', statisticsWords.delivered],
      ['ack', statisticsWords.acknowledged],
      ['redeliver', statisticsWords.redelivered],
    ],
  };
}

/** How many messages there are. */
export function queueLengths(): HistoryChart {
  return {
    title: statisticsWords.queued,
    format: compact,
    fill: true,
    lines: [
      ['messages_ready', statisticsWords.ready],
      ['messages_unacknowledged', statisticsWords.unacknowledged],
    ],
  };
}

/** What became of messages that were not consumed. */
export function messageFates(): HistoryChart {
  return {
    title: statisticsWords.fates,
    format: rate,
    lines: [
      ['return_unroutable', statisticsWords.returned],
      ['drop_unroutable', statisticsWords.unroutable],
      ['reject', statisticsWords.rejected],
      ['requeue', statisticsWords.requeued],
      ['dead_letter', statisticsWords.deadLettered],
      ['expire', statisticsWords.expired],
      ['overflow', statisticsWords.overflowed],
    ],
  };
}

/** Of streams: records, and their bytes. */
export function recordRates(): HistoryChart {
  return {
    title: statisticsWords.recordRates,
    format: rate,
    lines: [
      ['records_in', statisticsWords.recordsIn],
      ['records_out', statisticsWords.recordsOut],
    ],
  };
}

export function recordBytes(): HistoryChart {
  return {
    title: statisticsWords.recordBytes,
    format: byteRate,
    lines: [
      ['record_bytes_in', statisticsWords.recordsIn],
      ['record_bytes_out', statisticsWords.recordsOut],
    ],
  };
}

export function streamSize(): HistoryChart {
  return { title: statisticsWords.size, format: bytes, fill: true, lines: [['bytes', statisticsWords.size]] };
}

export function exchangeRates(): HistoryChart {
  return {
    title: statisticsWords.messageRates,
    format: rate,
    lines: [
      ['publish_in', statisticsWords.intoExchange],
      ['publish_out', statisticsWords.outOfExchange],
    ],
  };
}

/** Of connections, and of all together. */
export function traffic(): HistoryChart {
  return {
    title: statisticsWords.network,
    format: byteRate,
    lines: [
      ['recv_oct', statisticsWords.fromClients],
      ['send_oct', statisticsWords.toClients],
    ],
  };
}

/** Of a group: how far behind it is, in all topics and in each. */
export function groupLag(series: Readonly<Record<string, unknown>>): HistoryChart[] {
  const topics = Object.keys(series).filter((name) => name.startsWith('lag:'));
  const each = topics.map((name) => [name, name.slice('lag:'.length)] as const);
  return [
    {
      title: statisticsWords.lag,
      format: compact,
      lines: topics.length === 1 ? each : [['lag', statisticsWords.lag], ...each],
    },
    { title: statisticsWords.committed, format: rate, lines: [['committed', statisticsWords.committed]] },
  ];
}
