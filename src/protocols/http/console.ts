import { fileURLToPath } from 'node:url';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Where the console is built to: the same place beside the sources and in the package. */
const BUILT = fileURLToPath(new URL('../../../console/dist', import.meta.url));

/** Paths that are no page of the console: who asks for one that is not there is a program. */
const NOT_PAGES = /^\/(api|assets|metrics|healthz|readyz)(\/|$)/;

/** Everything comes from this listener, and nobody shows it within a page of theirs. */
const HEADERS = {
  'content-security-policy':
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** Their names change with what is in them. */
const FOR_EVER = 'public, max-age=31536000, immutable';

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sluice</title>
<h1>The console is not built</h1>
<p>The HTTP API works all the same. In a checkout, <code>npm start</code> builds the console, and so does
<code>node scripts/console.mjs</code>; then load this page anew.</p>
</html>
`;

/** Adds the files of the console. Its page is answered by `sendPage`. */
export function serveConsole(app: FastifyInstance, directory = BUILT): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/assets/*',
    handler: async (request, reply) => {
      const { '*': name } = request.params as { readonly '*': string };
      if (!(await sendFile(request, reply, { directory, name: `assets/${name}`, cache: FOR_EVER })))
        reply.callNotFound();
      return reply;
    },
  });
}

/** Whether a path that nothing else serves is one of the console's pages: a browser asks for it, not a program. */
export function isPage({ method, url, headers }: Pick<FastifyRequest, 'method' | 'url' | 'headers'>): boolean {
  const [path = ''] = url.split('?');
  if ((method !== 'GET' && method !== 'HEAD') || NOT_PAGES.test(path)) return false;
  return path === '/' || headers.accept?.includes('text/html') === true;
}

/** The one page of the console, which finds by its address what to show. */
export async function sendPage(request: FastifyRequest, reply: FastifyReply, directory = BUILT): Promise<FastifyReply> {
  if (await sendFile(request, reply, { directory, name: 'index.html', cache: 'no-cache' })) return reply;
  return reply
    .status(404)
    .headers({ ...HEADERS, 'cache-control': 'no-store', 'content-type': 'text/html; charset=utf-8' })
    .send(NOT_BUILT);
}

interface Asked {
  readonly directory: string;
  /** As it stands in the address. */
  readonly name: string;
  readonly cache: string;
}

/** False when there is no such file; nothing is answered then. */
async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { directory, name, cache }: Asked,
): Promise<boolean> {
  // Whoever has no browser does not wait for it.
  const { send, mime } = await import('@fastify/send');
  const type = mime.getType(name) ?? 'application/octet-stream';
  for (const { suffix, encoding } of variantsFor(request)) {
    const { statusCode, headers, stream } = await send(request.raw, encodeURI(name + suffix), {
      ...{
        root: directory,
        index: false,
        dotfiles: 'deny',
        acceptRanges: false,
        cacheControl: false,
        contentType: false,
      },
    });
    if (statusCode >= 400) {
      stream.destroy();
      continue;
    }
    reply
      .status(statusCode)
      .headers({ ...HEADERS, ...headers, 'cache-control': cache, vary: 'accept-encoding' })
      .header('content-type', type.startsWith('image/') ? type : `${type}; charset=utf-8`);
    if (encoding !== undefined) reply.header('content-encoding', encoding);
    reply.send(stream);
    return true;
  }
  return false;
}

interface Variant {
  readonly suffix: string;
  readonly encoding: string | undefined;
}

/** The forms in which a file may be sent, the smallest first: all but the last were compressed when the console was built. */
function variantsFor({ headers }: FastifyRequest): readonly Variant[] {
  const accepted = String(headers['accept-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map((each) => each.trim().split(/\s*;\s*q=/))
    .filter(([, quality]) => quality === undefined || Number(quality) > 0)
    .map(([encoding]) => encoding);
  const known: readonly Variant[] = [
    { suffix: '.br', encoding: 'br' },
    { suffix: '.gz', encoding: 'gzip' },
  ];
  return [...known.filter(({ encoding }) => accepted.includes(encoding)), { suffix: '', encoding: undefined }];
}
