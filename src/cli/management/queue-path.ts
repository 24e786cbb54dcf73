import { path } from '../api/index.ts';
import type { InHostOptions } from './options.ts';

export function queuePath({ vhost }: InHostOptions, name: string): string {
  return path`/queues/${vhost}/${name}`;
}

/** For errors. */
export function queueSubject({ vhost }: InHostOptions, name: string): string {
  return `queue '${name}'${vhost === '/' ? '' : ` in virtual host '${vhost}'`}`;
}
