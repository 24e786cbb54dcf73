import { collect } from '../metrics/collect.ts';
import { CONTENT_TYPES, formatFor } from '../metrics/exposition.ts';
import { get, type Route } from '../route.ts';

export const metricsRoutes: readonly Route[] = [
  {
    ...get('/metrics', { access: 'scrape', summary: 'Everything that is measured, for Prometheus' }, () => undefined),
    async answer({ broker, server, header }) {
      const format = formatFor(header('accept'));
      const bytes = await collect(broker, server, format);
      return { status: 200, bytes, headers: { 'content-type': CONTENT_TYPES[format] } };
    },
  },
];
