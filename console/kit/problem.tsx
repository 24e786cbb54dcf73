import type { ComponentChildren } from 'preact';
import type { ApiError } from '../api/errors.ts';
import { common } from '../words/common.ts';
import { Button } from './button.tsx';
import { headline } from './explain.ts';
import { Icon, type IconName } from './icon.tsx';

/** In the place of what could not be had. */
export function Problem({ error, onRetry }: { readonly error: ApiError; onRetry?(): void }) {
  return (
    <Notice icon="warning" title={headline(error.failure)} role="alert">
      <p>{error.message}</p>
      {onRetry && error.failure !== 'refused' && (
        <Button icon="refresh" onClick={onRetry}>
          {common.retry}
        </Button>
      )}
    </Notice>
  );
}

export interface NoticeProps {
  readonly icon?: IconName;
  readonly title: string;
  readonly role?: 'alert' | 'status';
  readonly children?: ComponentChildren;
}

/** In the place of content: nothing there, refused, not found. */
export function Notice({ icon = 'info', title, role, children }: NoticeProps) {
  return (
    <div class="notice" {...(role && { role })}>
      <Icon name={icon} />
      <p class="title">{title}</p>
      {children}
    </div>
  );
}

export function Loading() {
  return (
    <div class="loading" role="status">
      <span class="spinner" aria-hidden="true" />
      {common.loading}
    </div>
  );
}

interface LoadedProps<Data> {
  readonly of: {
    readonly data: Data | undefined;
    readonly error: ApiError | undefined;
    refresh(): void;
  };
  /** Shown when there is data; it stays while later askings fail. */
  readonly children: (data: Data) => ComponentChildren;
}

/** What `usePoll` gives: loading, what is wrong, or the data. */
export function Loaded<Data>({ of: { data, error, refresh }, children }: LoadedProps<Data>) {
  if (error !== undefined && (data === undefined || error.failure === 'not-found'))
    return <Problem error={error} onRetry={refresh} />;
  if (data === undefined) return <Loading />;
  return <>{children(data)}</>;
}
