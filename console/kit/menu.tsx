import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';

interface MenuProps {
  readonly icon: IconName;
  readonly title: string;
  readonly children: ComponentChildren;
}

/** A button that opens a small panel below it. Escape closes it, and so does going on to something else. */
export function Menu({ icon, title, children }: MenuProps) {
  const details = useRef<HTMLDetailsElement>(null);
  const close = () => {
    if (details.current) details.current.open = false;
  };
  return (
    <details
      ref={details}
      class="menu"
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || details.current?.open !== true) return;
        event.stopPropagation();
        close();
        details.current.querySelector('summary')?.focus();
      }}
      onFocusOut={(event) => {
        if (event.relatedTarget instanceof Node && !details.current?.contains(event.relatedTarget)) close();
      }}
    >
      <summary class="button">
        <Icon name={icon} />
        <span>{title}</span>
      </summary>
      <div class="menu-list">{children}</div>
    </details>
  );
}
