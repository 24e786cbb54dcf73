// OpenTelemetry's metrics as clients encode them, for tests.

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 128)) bytes.push((value % 128) + 0x80);
  return Buffer.from([...bytes, value]);
}

function field(number: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([varint(number * 8 + 2), varint(body.length), body]);
}

function fixed64(number: number, write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(8);
  write(bytes);
  return Buffer.concat([varint(number * 8 + 1), bytes]);
}

export function attribute(key: string, value: string): Buffer {
  return field(7, field(1, Buffer.from(key)), field(2, field(1, Buffer.from(value))));
}

export function gauge(name: string, value: number, attributes: readonly Buffer[] = []): Buffer {
  const point = field(
    1,
    ...attributes,
    fixed64(3, () => {}),
    fixed64(4, (bytes) => bytes.writeDoubleLE(value)),
  );
  return field(2, field(1, Buffer.from(name)), field(5, point));
}

export function sum(name: string, value: bigint, { isDelta }: { readonly isDelta: boolean }): Buffer {
  const point = field(
    1,
    fixed64(6, (bytes) => bytes.writeBigInt64LE(value)),
  );
  const temporality = Buffer.from([2 * 8, isDelta ? 1 : 2, 3 * 8, 1]);
  return field(2, field(1, Buffer.from(name)), field(7, point, temporality));
}

export function metricsData(...metrics: readonly Buffer[]): Buffer {
  const resource = field(1, field(1, Buffer.from('resource')));
  return field(1, resource, field(2, ...metrics));
}
