import type { MetricPoint } from '../../../broker/index.ts';
import { CodecError } from '../codec/codec-error.ts';
import { type FieldBudget, type ProtobufField, protobufFields } from './protobuf-reader.ts';

/** Values in one push. */
const MAX_POINTS = 10_000;
/** Of the messages and all that is in them: thirty for each value. */
const MAX_FIELDS = 300_000;

// Numbers of fields: opentelemetry/proto/metrics/v1/metrics.proto and common/v1/common.proto.
const RESOURCE_METRICS = 1;
const SCOPE_METRICS = 2;
const METRICS = 2;
const METRIC = { name: 1, gauge: 5, sum: 7 } as const;
const DATA_POINTS = 1;
const AGGREGATION_TEMPORALITY = 2;
const DELTA = 1;
const POINT = { asDouble: 4, asInt: 6, attributes: 7 } as const;
const KEY_VALUE = { key: 1, value: 2 } as const;
const ANY_VALUE = { string: 1, bool: 2, int: 3, double: 4 } as const;

/** The gauges and sums of OpenTelemetry's MetricsData: all that Kafka's clients send. Throws a `CodecError`. */
export function otlpPoints(data: Buffer): MetricPoint[] {
  const points: MetricPoint[] = [];
  const budget = { left: MAX_FIELDS };
  for (const resource of protobufFields(data, budget)) {
    if (resource.number !== RESOURCE_METRICS) continue;
    for (const scope of protobufFields(resource.bytes, budget)) {
      if (scope.number !== SCOPE_METRICS) continue;
      for (const metric of protobufFields(scope.bytes, budget)) {
        if (metric.number === METRICS) addMetric(metric.bytes, points, budget);
      }
    }
  }
  return points;
}

function addMetric(bytes: Buffer, points: MetricPoint[], budget: FieldBudget): void {
  const fields = [...protobufFields(bytes, budget)];
  const name = fields.find(({ number }) => number === METRIC.name)?.bytes.toString() ?? '';
  for (const { number, bytes: values } of fields) {
    if (number !== METRIC.gauge && number !== METRIC.sum) continue;
    const parts = [...protobufFields(values, budget)];
    const isDelta =
      number === METRIC.sum && parts.some((part) => part.number === AGGREGATION_TEMPORALITY && part.varint === DELTA);
    for (const part of parts) {
      if (part.number !== DATA_POINTS) continue;
      if (points.length >= MAX_POINTS) throw new CodecError(`the metrics have more than ${MAX_POINTS} values`);
      points.push({ name, isDelta, ...point(part.bytes, budget) });
    }
  }
}

function point(bytes: Buffer, budget: FieldBudget): Pick<MetricPoint, 'attributes' | 'value'> {
  let value = 0;
  const attributes: string[] = [];
  for (const field of protobufFields(bytes, budget)) {
    if (field.number === POINT.asDouble) value = float64(field);
    else if (field.number === POINT.asInt && field.bytes.length === 8) value = Number(field.bytes.readBigInt64LE());
    else if (field.number === POINT.attributes) attributes.push(attribute(field.bytes, budget));
  }
  return { value, attributes: attributes.sort() };
}

function attribute(bytes: Buffer, budget: FieldBudget): string {
  let key = '';
  let value = '';
  for (const field of protobufFields(bytes, budget)) {
    if (field.number === KEY_VALUE.key) key = field.bytes.toString();
    else if (field.number === KEY_VALUE.value) value = anyValue(field.bytes, budget);
  }
  return `${key}=${value}`;
}

function anyValue(bytes: Buffer, budget: FieldBudget): string {
  const [field] = protobufFields(bytes, budget);
  switch (field?.number) {
    case ANY_VALUE.string:
      return field.bytes.toString();
    case ANY_VALUE.bool:
      return String(field.varint !== 0);
    case ANY_VALUE.int:
      return String(field.varint);
    case ANY_VALUE.double:
      return String(float64(field));
    default:
      return '';
  }
}

function float64({ bytes }: ProtobufField): number {
  return bytes.length === 8 ? bytes.readDoubleLE() : 0;
}
