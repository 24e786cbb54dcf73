import { z } from 'zod';
import type { Session, User } from '../../../broker/index.ts';
import { refusal } from '../access.ts';
import { checkPassword } from '../authentication.ts';
import { get, post, type Route, remove } from '../route.ts';
import { sessionCookie, sessionToken } from '../session-cookie.ts';
import type { SessionShape } from '../shapes/sessions.ts';

const credentials = z.object({ username: z.string().max(255), password: z.string().max(4096) });

export const sessionRoutes: readonly Route[] = [
  get('/session', { access: 'user', summary: 'Who asks, and the session by which they do' }, ({ user, session }) =>
    showSession(user, session),
  ),
  post(
    '/session',
    { access: 'open', summary: 'Logs in, for browsers: answers with a cookie' },
    credentials,
    (call, { username, password }) => {
      const { broker, visitor } = call;
      const user = checkPassword(broker, { name: username, password }, visitor);
      const refused = refusal('user', user, undefined);
      if (refused !== undefined) throw refused;
      endSession(call);
      const { token, session } = broker.sessions.begin(user);
      return {
        status: 200,
        body: showSession(user, session),
        headers: { 'set-cookie': sessionCookie(visitor, token), 'cache-control': 'no-store' },
      };
    },
  ),
  remove('/session', { access: 'user', summary: 'Logs out' }, (call) => {
    endSession(call);
    return { status: 204, headers: { 'set-cookie': sessionCookie(call.visitor) } };
  }),
];

function endSession({ broker, visitor, header }: Parameters<Route['answer']>[0]): void {
  const token = sessionToken({ cookie: header('cookie') }, visitor);
  if (token !== undefined) broker.sessions.end(token);
}

function showSession({ name, tags }: User, session: Session | undefined): SessionShape {
  return {
    user: { name, tags },
    csrf_token: session?.csrfToken ?? null,
    expires: session?.expiresAt ?? null,
  };
}
