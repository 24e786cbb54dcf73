import { expect, test } from 'vitest';
import { startApi } from './fixture.ts';

test('every route is in the OpenAPI document, with what may be sent', async () => {
  const { ask } = await startApi();
  const { status, body } = await ask('GET', '/api/openapi.json', undefined, { as: '' });
  expect(status).toBe(200);
  expect(body).toMatchObject({ openapi: '3.1.0', info: { title: 'Sluice HTTP API' } });
  const { paths } = body as { paths: Record<string, Record<string, { operationId: string }>> };
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  expect(paths['/api/exchanges/{vhost}/{exchange}/publish']).toMatchObject({
    post: {
      parameters: [
        { name: 'vhost', in: 'path', required: true },
        { name: 'exchange', in: 'path' },
      ],
      requestBody: {
        content: {
          'application/json': {
            schema: { type: 'object', required: ['routing_key', 'properties', 'payload', 'payload_encoding'] },
          },
        },
      },
    },
  });
  expect(paths['/healthz']).toMatchObject({ get: { security: [] } });
});
