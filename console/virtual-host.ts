import { preference } from './preferences.ts';

/** The virtual host whose objects lists show; empty for all that the user sees. */
export const virtualHost = preference<string>(
  'virtual-host',
  (text) => text,
  () => '',
);
