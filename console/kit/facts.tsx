import type { ComponentChildren } from 'preact';
import { UNKNOWN } from '../format/numbers.ts';
import { common } from '../words/common.ts';

export type Fact = readonly [name: string, value: ComponentChildren];

/** Names with values. What is undefined is left out. */
export function Facts({ of }: { readonly of: readonly (Fact | undefined)[] }) {
  return (
    <dl class="facts">
      {of
        .filter((fact): fact is Fact => fact !== undefined && fact[1] !== undefined)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof value === 'boolean' ? <YesNo value={value} /> : value === '' ? UNKNOWN : value}</dd>
          </div>
        ))}
    </dl>
  );
}

export function YesNo({ value }: { readonly value: boolean }) {
  return <>{value ? common.yes : common.no}</>;
}

/** Whatever a program sent, as names with values within each other. */
export function JsonFacts({ value }: { readonly value: unknown }) {
  if (Array.isArray(value)) return <>{value.length === 0 ? common.none : <Entries of={Object.entries(value)} />}</>;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value);
    return <>{entries.length === 0 ? common.none : <Entries of={entries} />}</>;
  }
  if (typeof value === 'boolean') return <YesNo value={value} />;
  return <span class="mono">{String(value)}</span>;
}

function Entries({ of }: { readonly of: readonly (readonly [string, unknown])[] }) {
  return <Facts of={of.map(([name, value]) => [name, <JsonFacts key={name} value={value} />])} />;
}

interface PanelProps {
  readonly title: string;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** A part of a page, with a heading. */
export function Panel({ title, actions, children }: PanelProps) {
  return (
    <section class="panel">
      <header>
        <h2>{title}</h2>
        {actions && <div class="buttons">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

interface FigureProps {
  readonly name: string;
  readonly value: ComponentChildren;
  readonly more?: ComponentChildren;
  readonly tone?: Tone;
}

export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'info';

/** One large number with what it is of. */
export function Figure({ name, value, more, tone = 'plain' }: FigureProps) {
  return (
    <div class={`figure ${tone}`}>
      <p class="name">{name}</p>
      <p class="value">{value}</p>
      {more !== undefined && <p class="more">{more}</p>}
    </div>
  );
}

export function Figures({ children }: { readonly children: ComponentChildren }) {
  return <div class="figures">{children}</div>;
}

/** A state or a kind in one word. */
export function Badge({
  tone = 'plain',
  title,
  children,
}: {
  readonly tone?: Tone;
  readonly title?: string;
  readonly children: ComponentChildren;
}) {
  return (
    <span class={`badge ${tone}`} {...(title !== undefined && { title })}>
      {children}
    </span>
  );
}
