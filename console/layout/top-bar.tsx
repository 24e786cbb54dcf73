import { logOut } from '../api/login.ts';
import { refreshEvery, usePoll } from '../api/poll.ts';
import { user } from '../api/session.ts';
import { Button } from '../kit/button.tsx';
import { Choice, Select } from '../kit/form.tsx';
import { Icon } from '../kit/icon.tsx';
import { Menu } from '../kit/menu.tsx';
import { setQuery } from '../location.ts';
import { type Theme, theme } from '../theme.ts';
import { virtualHost } from '../virtual-host.ts';
import { LANGUAGES, type Language, language } from '../words/language.ts';
import { layoutWords } from '../words/layout.ts';

const EVERY = ['1000', '5000', '30000', '0'] as const;

/** What holds for all pages: virtual host, how often they are refreshed, language, appearance, who is logged in. */
export function TopBar({ onNavigation }: { onNavigation(): void }) {
  return (
    <header class="top-bar">
      <span class="drawer-button">
        <Button kind="quiet" icon="menu" label={layoutWords.openNavigation} onClick={onNavigation} />
      </span>
      <a class="brand" href="/">
        <Mark /> Sluice
      </a>
      <span class="gap" />
      <VirtualHostChoice />
      <Select
        label={layoutWords.refreshEvery}
        value={String(refreshEvery.value)}
        options={EVERY.map((ms) => ({
          value: ms as string,
          label: ms === '0' ? layoutWords.refreshNever : layoutWords.refreshSeconds(Number(ms) / 1000),
        }))}
        onChange={(chosen) => {
          refreshEvery.value = Number(chosen);
        }}
      />
      <Menu icon="user" title={user.value?.name ?? ''}>
        <p class="muted">
          {layoutWords.loggedInAs} <b>{user.value?.name}</b>
          <br />
          {user.value?.tags.join(', ')}
        </p>
        <Preferences />
        <Button icon="logOut" onClick={logOut}>
          {layoutWords.logOut}
        </Button>
      </Menu>
    </header>
  );
}

/** Language and appearance: on the login page too. */
export function Preferences() {
  const themes: readonly { value: Theme; label: string }[] = [
    { value: 'system', label: layoutWords.themeSystem },
    { value: 'light', label: layoutWords.themeLight },
    { value: 'dark', label: layoutWords.themeDark },
  ];
  return (
    <div class="preferences">
      <Choice
        label={layoutWords.language}
        value={language.value}
        options={Object.entries(LANGUAGES).map(([value, label]) => ({ value: value as Language, label }))}
        onChange={(chosen) => {
          language.value = chosen;
        }}
      />
      <Choice
        label={layoutWords.theme}
        value={theme.value}
        options={themes}
        onChange={(chosen) => {
          theme.value = chosen;
        }}
      />
    </div>
  );
}

const HOSTS_EVERY_MS = 30_000;

function VirtualHostChoice() {
  const { data: hosts } = usePoll<readonly { readonly name: string }[]>('/vhosts', {
    ...{ query: { columns: 'name' }, every: HOSTS_EVERY_MS },
  });
  const names = hosts?.map(({ name }) => name) ?? [];
  const chosen = virtualHost.value;
  if (names.length < 2 && chosen === '') return null;
  const known = names.includes(chosen) || chosen === '' ? names : [...names, chosen];
  return (
    <Select
      label={layoutWords.allVirtualHosts}
      value={chosen}
      options={[
        { value: '', label: layoutWords.allVirtualHosts },
        ...known.map((name) => ({ value: name, label: name })),
      ]}
      onChange={(name) => {
        virtualHost.value = name;
        setQuery({ page: undefined });
      }}
    />
  );
}

export function Mark() {
  return (
    <span class="mark">
      <Icon name="stream" />
    </span>
  );
}
