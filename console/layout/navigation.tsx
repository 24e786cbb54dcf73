import { may } from '../api/session.ts';
import { Icon } from '../kit/icon.tsx';
import { place } from '../location.ts';
import { GROUPS, groupTitle, PAGES, type PageEntry } from '../registry.ts';
import { layoutWords } from '../words/layout.ts';

/** Links to the pages that the user's tags allow, by group. */
export function Navigation() {
  const entries = PAGES.filter(({ tag }) => tag === undefined || may(tag));
  return (
    <nav class="navigation" aria-label={layoutWords.navigation}>
      {GROUPS.map((group) => {
        const within = entries.filter((entry) => entry.group === group);
        if (within.length === 0) return null;
        return (
          <div key={group}>
            <p class="group" id={`group-${group}`}>
              {groupTitle(group)}
            </p>
            <ul aria-labelledby={`group-${group}`}>
              {within.map((entry) => (
                <li key={entry.path}>
                  <a href={entry.path} {...(isHere(entry) && { 'aria-current': 'page' })}>
                    <Icon name={entry.icon ?? 'info'} />
                    {entry.title()}
                  </a>
                </li>
              ))}
            </ul>
          </div>
        );
      })}
    </nav>
  );
}

/** The page itself, or one below it. */
function isHere(entry: PageEntry): boolean {
  const { path } = place.value;
  return path === entry.path || path.startsWith(`${entry.path}/`) || (path === '/' && entry === PAGES[0]);
}
