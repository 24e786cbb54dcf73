import type { ComponentType } from 'preact';
import { useEffect, useErrorBoundary, useState } from 'preact/hooks';
import { may } from '../api/session.ts';
import { Button } from '../kit/button.tsx';
import { Page } from '../kit/page.tsx';
import { Loading, Notice } from '../kit/problem.tsx';
import { match, place } from '../location.ts';
import { PAGES, type PageEntry, type PageParameters } from '../registry.ts';
import { common, errorWords } from '../words/common.ts';
import { layoutWords } from '../words/layout.ts';

/** The page of the address. */
export function Outlet() {
  const { path } = place.value;
  const [first] = PAGES;
  for (const entry of PAGES) {
    const params = path === '/' && entry === first ? {} : match(entry.path, path);
    if (params === undefined) continue;
    if (entry.tag !== undefined && !may(entry.tag)) return <NotAllowed entry={entry} tag={entry.tag} />;
    // Another object is another page: nothing of the one before stays.
    return <Guarded key={`${entry.path} ${JSON.stringify(params)}`} entry={entry} params={params} />;
  }
  return <NotFound />;
}

const loaded = new Map<PageEntry, ComponentType<PageParameters>>();

interface LoadedPageProps extends PageParameters {
  readonly entry: PageEntry;
}

function Guarded(props: LoadedPageProps) {
  const [error, reset] = useErrorBoundary();
  if (error !== undefined)
    return (
      <Page title={props.entry.title()}>
        <Notice icon="warning" title={errorWords.crashed} role="alert">
          <p>{error instanceof Error ? error.message : String(error)}</p>
          <Button icon="refresh" onClick={reset}>
            {common.retry}
          </Button>
        </Notice>
      </Page>
    );
  return <LoadedPage {...props} />;
}

function LoadedPage({ entry, params }: LoadedPageProps) {
  const [failed, setFailed] = useState(false);
  const [, come] = useState(0);
  const Content = loaded.get(entry);
  useEffect(() => {
    if (Content !== undefined || failed) return;
    document.title = `${entry.title()} · Sluice`;
    entry.load().then(
      (component) => {
        loaded.set(entry, component);
        come((times) => times + 1);
      },
      () => setFailed(true),
    );
  }, [entry, Content, failed]);
  if (Content !== undefined) return <Content params={params} />;
  if (!failed) return <Loading />;
  return (
    <Page title={entry.title()}>
      {/* A new release of the broker has other files, and a browser does not ask twice for one that failed. */}
      <Notice icon="warning" title={errorWords.pageFailed} role="alert">
        <Button icon="refresh" onClick={() => window.location.reload()}>
          {common.reload}
        </Button>
      </Notice>
    </Page>
  );
}

function NotAllowed({ entry, tag }: { readonly entry: PageEntry; readonly tag: string }) {
  return (
    <Page title={entry.title()}>
      <Notice icon="warning" title={errorWords.refused}>
        <p>{errorWords.needsTag(tag)}</p>
      </Notice>
    </Page>
  );
}

function NotFound() {
  return (
    <Page title={layoutWords.notFoundTitle}>
      <Notice title={layoutWords.notFound}>
        <a href="/">{layoutWords.toOverview}</a>
      </Notice>
    </Page>
  );
}
