import { byteRate, bytes, compact, percent, rate } from '../../format/index.ts';
import type { HistoryChart } from '../../kit/history.tsx';
import {
  messageFates,
  messageRates,
  queueLengths,
  recordBytes,
  recordRates,
  traffic,
} from '../../kit/message-charts.ts';
import { overviewWords } from '../../words/overview.ts';

/** Whole and parts of milliseconds. */
const milliseconds = (value: number) => `${compact(value)} ms`;

/** All that there is of the broker; of a virtual host the first few. `disk` when messages are kept on one. */
export function overviewCharts(disk: boolean): HistoryChart[] {
  return [
    messageRates(),
    queueLengths(),
    {
      title: overviewWords.latency,
      format: milliseconds,
      lines: [
        ['confirm_p50_ms', overviewWords.confirmMedian],
        ['confirm_p99_ms', overviewWords.confirmSlow],
        ['queue_wait_p50_ms', overviewWords.waitMedian],
        ['queue_wait_p99_ms', overviewWords.waitSlow],
      ],
    },
    messageFates(),
    recordRates(),
    recordBytes(),
    traffic(),
    {
      title: overviewWords.memory,
      format: bytes,
      lines: [
        ['mem_used', overviewWords.memoryUsed],
        ['mem_resident', overviewWords.resident],
        ['mem_heap', overviewWords.heap],
        ['mem_external', overviewWords.buffers],
      ],
    },
    {
      title: overviewWords.processor,
      format: percent,
      lines: [
        ['cpu_utilization', overviewWords.cores],
        ['event_loop_utilization', overviewWords.eventLoop],
      ],
    },
    {
      title: overviewWords.eventLoopDelay,
      format: milliseconds,
      lines: [
        ['event_loop_delay_ms', overviewWords.mean],
        ['event_loop_delay_p99_ms', overviewWords.slow],
        ['event_loop_delay_max_ms', overviewWords.longest],
      ],
    },
    ...(disk ? diskCharts() : []),
    {
      title: overviewWords.churn,
      format: rate,
      lines: [
        ['connection_created', overviewWords.connectionsOpened],
        ['connection_closed', overviewWords.connectionsClosed],
        ['channel_created', overviewWords.channelsOpened],
        ['channel_closed', overviewWords.channelsClosed],
        ['queue_created', overviewWords.queuesCreated],
        ['queue_deleted', overviewWords.queuesDeleted],
      ],
    },
  ];
}

function diskCharts(): HistoryChart[] {
  return [
    {
      title: overviewWords.writes,
      format: byteRate,
      lines: [
        ['io_write_bytes', overviewWords.commitLog],
        ['io_segment_bytes', overviewWords.segments],
      ],
    },
    { title: overviewWords.flushes, format: rate, lines: [['io_sync_count', overviewWords.flushes]] },
    { title: overviewWords.disk, format: bytes, fill: true, lines: [['disk_free', overviewWords.disk]] },
  ];
}
