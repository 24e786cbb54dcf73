import type { ComponentChildren } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { place, setQuery } from '../location.ts';

export interface Tab {
  readonly id: string;
  readonly title: string;
  /** Beside the title: how many there are. */
  readonly note?: string | undefined;
  readonly show: () => ComponentChildren;
}

interface TabsProps {
  readonly label: string;
  readonly tabs: readonly Tab[];
  /** The parameter of the address that keeps which is open. */
  readonly parameter?: string;
}

/** Several views of one thing; which one is open is in the address. Arrow keys go from one to the next. */
export function Tabs({ label, tabs, parameter = 'tab' }: TabsProps) {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const [first] = tabs;
  const open = tabs.find((each) => each.id === place.value.query.get(parameter)) ?? first;
  if (open === undefined) return null;
  const choose = (tab: Tab | undefined) => {
    if (tab === undefined) return;
    setQuery({ [parameter]: tab === first ? undefined : tab.id });
    list.current?.querySelector<HTMLElement>(`#${CSS.escape(`${id}-${tab.id}`)}`)?.focus();
  };
  const move = (event: KeyboardEvent) => {
    const at = tabs.indexOf(open);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(tabs.at(to % tabs.length));
  };
  return (
    <div class="tabs">
      <div ref={list} role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            id={`${id}-${tab.id}`}
            type="button"
            role="tab"
            aria-selected={tab === open}
            aria-controls={`${id}-panel`}
            tabIndex={tab === open ? 0 : -1}
            onClick={() => choose(tab)}
          >
            {tab.title}
            {tab.note !== undefined && <span class="note">{tab.note}</span>}
          </button>
        ))}
      </div>
      <div id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${open.id}`} key={open.id}>
        {open.show()}
      </div>
    </div>
  );
}
