import { computed, signal } from '@preact/signals';
import type { SessionShape } from '../../src/protocols/http/shapes/sessions.ts';

/** RabbitMQ's tags of users. */
export type Tag = 'management' | 'policymaker' | 'monitoring' | 'administrator';

/** Who is logged in: undefined until the broker said, null for nobody. */
export const session = signal<SessionShape | null | undefined>(undefined);
/** The last one ended by itself: the login page says so. */
export const ended = signal(false);

export const user = computed(() => session.value?.user);

export function csrfToken(): string | undefined {
  return session.peek()?.csrf_token ?? undefined;
}

export function noteSignedOut(): void {
  if (session.peek()) ended.value = true;
  session.value = null;
}

/** Whether the user's tags let it do what needs this one; an administrator may do everything. */
export function may(tag: Tag): boolean {
  const tags = user.value?.tags ?? [];
  return tags.includes('administrator') || tags.includes(tag) || tag === 'management';
}
