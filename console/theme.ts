import { computed, effect, signal } from '@preact/signals';
import { oneOf, preference } from './preferences.ts';

export type Theme = 'system' | 'light' | 'dark';
export const theme = preference<Theme>('theme', oneOf('system', 'light', 'dark'), () => 'system');

const query = window.matchMedia('(prefers-color-scheme: dark)');
const systemDark = signal(query.matches);
query.addEventListener('change', ({ matches }) => {
  systemDark.value = matches;
});

/** What is shown: charts take their colours anew when it changes. */
export const dark = computed(() => (theme.value === 'system' ? systemDark.value : theme.value === 'dark'));

effect(() => {
  document.documentElement.dataset['theme'] = dark.value ? 'dark' : 'light';
});
