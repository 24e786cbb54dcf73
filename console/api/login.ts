import type { SessionShape } from '../../src/protocols/http/shapes/sessions.ts';
import { api } from './client.ts';
import { toApiError } from './errors.ts';
import { ended, session } from './session.ts';

/** Finds out who is logged in. */
export async function resume(): Promise<void> {
  try {
    session.value = await api.get<SessionShape>('/session');
  } catch (error) {
    // Where the broker is gone it is asked again when it is back.
    if (toApiError(error).failure !== 'gone') session.value = null;
  }
}

export async function logIn(username: string, password: string): Promise<void> {
  session.value = await api.post<SessionShape>('/session', { username, password });
  ended.value = false;
}

export async function logOut(): Promise<void> {
  try {
    await api.remove('/session');
  } finally {
    ended.value = false;
    session.value = null;
  }
}
