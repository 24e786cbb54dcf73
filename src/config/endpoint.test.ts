import { expect, test } from 'vitest';
import { formatEndpoint, parseEndpoint } from './endpoint.ts';

test('host, port and TLS are read, and written as they were', () => {
  expect(parseEndpoint('kafka://127.0.0.1:9092')).toEqual({
    protocol: 'kafka',
    tls: false,
    host: '127.0.0.1',
    port: 9092,
  });
  for (const text of ['kafka://localhost:0', 'kafka+tls://broker.example.com:9093', 'amqp://[::1]:5672']) {
    expect(formatEndpoint(parseEndpoint(text))).toBe(text);
  }
  expect(parseEndpoint('kafka://[::1]:9092').host).toBe('::1');
});

test.each([
  ['localhost:9092', /not PROTO:\/\/HOST:PORT/],
  ['kafka://localhost', /not PROTO:\/\/HOST:PORT/],
  ['kafka://:9092', /not PROTO:\/\/HOST:PORT/],
  ['kafka://user@host:9092', /not PROTO:\/\/HOST:PORT/],
  ['kafka://::1:9092', /not PROTO:\/\/HOST:PORT/],
  ['kafka://localhost:65536', /beyond 65535/],
  ['mqtt://localhost:1883', /'mqtt' is not supported yet: this version speaks kafka, amqp/],
  ['kafak://localhost:9092', /'kafak' is not a protocol.*did you mean 'kafka'\?/],
  ['gopher://localhost:70', /'gopher' is not a protocol: this version speaks kafka, amqp, http$/],
])('%s is refused with what would be right', (text, message) => {
  expect(() => parseEndpoint(text)).toThrow(message);
});
