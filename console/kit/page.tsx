import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';

export interface PageProps {
  readonly title: string;
  /** Where it belongs to: links above the title. */
  readonly within?: readonly { readonly title: string; readonly href: string }[];
  /** Beside the title: state, virtual host. */
  readonly notes?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** Frame of every page: heading, actions, title of the browser's tab. */
export function Page({ title, within = [], notes, actions, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Sluice`;
  }, [title]);
  return (
    <div class="page">
      <header class="page-head">
        <div>
          {within.length > 0 && (
            <ul class="within">
              {within.map(({ title: name, href }) => (
                <li key={href}>
                  <a href={href}>{name}</a>
                </li>
              ))}
            </ul>
          )}
          <h1 tabIndex={-1}>
            <span>{title}</span> {notes}
          </h1>
        </div>
        {actions && <div class="buttons">{actions}</div>}
      </header>
      {children}
    </div>
  );
}
