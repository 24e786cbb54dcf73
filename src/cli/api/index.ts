export { type ApiAnswer, ApiClient, type ApiClientOptions, type AskOptions, type Query } from './api-client.ts';
export { ApiError } from './api-error.ts';
export { type ApiOptions, api, apiClient, apiUrl, withApi } from './api-options.ts';
export type { StreamEvent } from './event-stream.ts';
export { exchangeInPath, path } from './path.ts';
