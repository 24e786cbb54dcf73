import { useEffect, useRef, useState } from 'preact/hooks';
import { connected, knockNow, returns } from '../api/connectivity.ts';
import { Button } from '../kit/button.tsx';
import { Icon } from '../kit/icon.tsx';
import { notify } from '../kit/toast.tsx';
import { place } from '../location.ts';
import { common } from '../words/common.ts';
import { layoutWords } from '../words/layout.ts';
import { Navigation } from './navigation.tsx';
import { Outlet } from './outlet.tsx';
import { Mark, TopBar } from './top-bar.tsx';

/** Around every page. */
export function Layout() {
  const [drawer, setDrawer] = useState(false);
  const main = useRef<HTMLElement>(null);
  const { path } = place.value;
  const before = useRef(path);
  useEffect(() => {
    if (before.current === path) return;
    before.current = path;
    setDrawer(false);
    // Whoever goes on by keyboard starts at the top of the new page.
    main.current?.focus({ preventScroll: true });
  }, [path]);
  return (
    <div class="layout">
      <a class="skip" href="#main">
        {layoutWords.skip}
      </a>
      <TopBar onNavigation={() => setDrawer(true)} />
      <div class="side">
        <Navigation />
      </div>
      {drawer && <Drawer onClose={() => setDrawer(false)} />}
      <main id="main" ref={main} tabIndex={-1}>
        <Outlet />
      </main>
    </div>
  );
}

/** The navigation on a phone. */
function Drawer({ onClose }: { onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the key is Escape, which the browser hands over as `close`.
    <dialog
      ref={dialog}
      class="drawer"
      aria-label={layoutWords.navigation}
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current || (event.target instanceof Element && event.target.closest('a')))
          onClose();
      }}
    >
      <div class="drawer-content">
        <header>
          <span class="brand">
            <Mark /> Sluice
          </span>
          <Button kind="quiet" icon="close" label={common.close} onClick={onClose} />
        </header>
        <Navigation />
      </div>
    </dialog>
  );
}

/** Tells that the broker does not answer, and when it does again. */
export function ConnectionBanner() {
  const times = returns.value;
  useEffect(() => {
    if (times > 0) notify(layoutWords.isBack);
  }, [times]);
  return (
    <div role="alert" class="banner-place">
      {!connected.value && (
        <div class="banner">
          <Icon name="warning" />
          <span>{layoutWords.gone}</span>
          <Button onClick={knockNow}>{layoutWords.tryNow}</Button>
        </div>
      )}
    </div>
  );
}
