import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';
import { notifyError } from './toast.tsx';

export interface ButtonProps {
  /** Without children the icon stands alone, and this is what it is called. */
  readonly label?: string;
  readonly icon?: IconName;
  readonly children?: ComponentChildren;
  /** `link` looks like one, for what opens something without going elsewhere: a row of a table, for one. */
  readonly kind?: 'plain' | 'primary' | 'harm' | 'quiet' | 'link';
  readonly disabled?: boolean;
  /** Why it is disabled, or what it does. */
  readonly title?: string | undefined;
  readonly type?: 'button' | 'submit';
  readonly busy?: boolean;
  /** What it returns is waited for; an error is shown as a notice. */
  onClick?(event: MouseEvent): unknown;
}

export function Button(props: ButtonProps) {
  const { label, icon, children, kind = 'plain', disabled = false, title, type = 'button', busy = false } = props;
  const [working, setWorking] = useState(false);
  // While it works it can still have the focus, which a dialog that it opened gives back to it.
  const click = async (event: MouseEvent) => {
    if (working || busy) {
      event.preventDefault();
      return;
    }
    const outcome = props.onClick?.(event);
    if (!(outcome instanceof Promise)) return;
    setWorking(true);
    try {
      await outcome;
    } catch (error) {
      notifyError(error);
    } finally {
      setWorking(false);
    }
  };
  return (
    <button
      type={type}
      class={`button ${kind}${children === undefined ? ' alone' : ''}`}
      disabled={disabled}
      aria-busy={working || busy}
      {...(label !== undefined && { 'aria-label': label })}
      title={title ?? label}
      onClick={click}
    >
      {icon && <Icon name={icon} />}
      {children !== undefined && <span>{children}</span>}
    </button>
  );
}
