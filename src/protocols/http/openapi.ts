import { z } from 'zod';
import type { Access } from './access.ts';
import type { Method, Route } from './route.ts';

const WHO: Readonly<Record<Access, string>> = {
  open: 'Nobody has to log in.',
  user: 'For every user with a tag.',
  monitor: 'For the tag monitoring.',
  scrape: 'For the tag monitoring, unless metrics.access says otherwise.',
  administrator: 'For the tag administrator.',
  policymaker: 'For the tag policymaker, with access to the virtual host.',
  'global-policymaker': 'For the tag policymaker.',
  'virtual-host': 'For users with access to the virtual host.',
};

const ERROR = {
  type: 'object',
  properties: { error: { type: 'string' }, reason: { type: 'string' } },
  required: ['error', 'reason'],
} as const;

const LIST_PARAMETERS = ['columns', 'sort', 'sort_reverse', 'page', 'page_size', 'name', 'use_regex'].map((name) => ({
  ...{ name, in: 'query', required: false, schema: { type: 'string' } },
}));

const OUTCOMES: Readonly<Record<Method, Readonly<Record<string, string>>>> = {
  GET: { 200: 'What was asked for' },
  PUT: { 201: 'It was made', 204: 'It was there, and is as asked now' },
  POST: { 200: 'What came of it', 201: 'It was made', 204: 'It was done' },
  DELETE: { 204: 'It is gone' },
};

/** The routes as an OpenAPI document. */
export function openApiDocument(routes: readonly Route[], title: string, version: string) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title, version },
    paths,
    components: {
      securitySchemes: { basic: { type: 'http', scheme: 'basic' } },
      responses: { error: { description: 'Why not', content: { 'application/json': { schema: ERROR } } } },
    },
  };
}

function operation({ method, path, access, summary, body, lists, raw, streams }: Route) {
  const names = Array.from(path.matchAll(/:(\w+)/g), ([, name]) => name);
  const inPath = names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }));
  const outcomes = Object.entries(OUTCOMES[method]).map(([status, description]) => [
    status,
    { description, ...(streams && { content: { 'text/event-stream': { schema: { type: 'string' } } } }) },
  ]);
  return {
    operationId: `${method.toLowerCase()}${path.replaceAll(/[^a-z]+(\w)/gi, (_, letter: string) => letter.toUpperCase())}`,
    summary,
    description: WHO[access],
    security: access === 'open' ? [] : [{ basic: [] }],
    parameters: lists ? [...inPath, ...LIST_PARAMETERS] : inPath,
    ...(raw && { requestBody: { content: { '*/*': { schema: { type: 'string', format: 'binary' } } } } }),
    ...(body && { requestBody: { content: { 'application/json': { schema: schemaOf(body) } } } }),
    responses: { ...Object.fromEntries(outcomes), default: { $ref: '#/components/responses/error' } },
  };
}

/** What may be sent. */
function schemaOf(body: z.ZodType) {
  const { $schema: _, ...schema } = z.toJSONSchema(body, { io: 'input', unrepresentable: 'any' });
  return schema;
}
