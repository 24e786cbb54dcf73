import {
  type Context,
  createTraceState,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import type { MessageSpan, SpanSink } from './broker/index.ts';
import type { Clock } from './environment/environment.ts';
import type { Logger } from './environment/logger.ts';

/*
 * The one file that knows OpenTelemetry's packages; it is loaded when spans are to be exported, and not before.
 */

export interface SpanExportOptions {
  /** Base URL of a collector, as in OTEL_EXPORTER_OTLP_ENDPOINT; `/v1/traces` is added. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly serviceName: string;
  readonly version: string;
  readonly instanceId: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Spans that wait to be sent; more are dropped. */
const MAX_QUEUED = 8192;
const MAX_BATCH = 512;
const DELAY_MS = 1000;
const TIMEOUT_MS = 5_000;
/** How long the broker's end waits for what was not sent yet. */
const CLOSE_MS = 2000;
/** Between two words in the log about spans that were lost. */
const TROUBLE_MS = 60_000;
const PATH = '/v1/traces';

/** Sends spans by OTLP over HTTP, in batches, in the background. What cannot be sent is lost, and said so in the log. */
export class SpanExport implements SpanSink {
  readonly #provider: TracerProvider;
  readonly #tracer: ReturnType<TracerProvider['getTracer']>;
  readonly #clock: Clock;

  constructor({ endpoint, headers, serviceName, version, instanceId, clock, logger }: SpanExportOptions) {
    const exporter = new OTLPTraceExporter({
      url: urlOf(endpoint),
      headers: { ...headers },
      timeoutMillis: TIMEOUT_MS,
    });
    this.#clock = clock;
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({
        'service.name': serviceName,
        'service.version': version,
        'service.instance.id': instanceId,
      }),
      // Which messages have spans was decided by those who sent them.
      sampler: new AlwaysOnSampler(),
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: telling(exporter, clock, logger),
          maxQueueSize: MAX_QUEUED,
          maxExportBatchSize: MAX_BATCH,
          scheduledDelayMillis: DELAY_MS,
          exportTimeoutMillis: TIMEOUT_MS,
        }),
      ],
    });
    this.#tracer = this.#provider.getTracer('sluice', version);
  }

  add(span: MessageSpan): void {
    const { name, startMs, endMs, attributes, error } = span;
    const options = { kind: SpanKind.SERVER, startTime: startMs, attributes: { ...attributes } };
    const made = this.#tracer.startSpan(name, options, parentOf(span));
    if (error !== undefined) {
      made.setAttribute('error.type', error);
      made.setStatus({ code: SpanStatusCode.ERROR, message: error });
    }
    made.end(endMs);
  }

  /** Sends what waits, but does not wait for it for long. */
  async close(): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#clock.setTimer(CLOSE_MS, () => late.resolve());
    await Promise.race([this.#provider.shutdown().catch(() => {}), late.promise]);
    timer.cancel();
  }
}

function parentOf({ parent: { traceId, spanId, state } }: MessageSpan): Context {
  return trace.setSpanContext(ROOT_CONTEXT, {
    ...{ traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true },
    ...(state !== '' && { traceState: createTraceState(state) }),
  });
}

function urlOf(endpoint: string): string {
  const base = endpoint.replace(/\/+$/, '');
  return base.endsWith(PATH) ? base : base + PATH;
}

/** The same exporter, whose failures are in the log now and then. */
function telling(exporter: OTLPTraceExporter, clock: Clock, logger: Logger): SpanExporter {
  let [lost, toldAt] = [0, Number.NEGATIVE_INFINITY];
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error !== undefined) {
          lost += spans.length;
          const now = clock.monotonic();
          if (now - toldAt >= TROUBLE_MS) {
            logger.warn({ err: result.error.message, lost }, 'spans could not be sent, and are lost (telemetry.otlp)');
            [lost, toldAt] = [0, now];
          }
        }
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  };
}
