import { effect } from '@preact/signals';
import { oneOf, preference } from '../preferences.ts';

export const LANGUAGES = { en: 'English', zh: '简体中文' } as const;
export type Language = keyof typeof LANGUAGES;

/** What is reading it is shown again when it changes. */
export const language = preference<Language>('language', oneOf('en', 'zh'), () =>
  navigator.languages
    .find((each) => /^(en|zh)\b/i.test(each))
    ?.slice(0, 2)
    .toLowerCase() === 'zh'
    ? 'zh'
    : 'en',
);

/** For Intl and for `lang`. */
export function locale(): string {
  if (language.value === 'zh') return 'zh-CN';
  return navigator.languages.find((each) => /^en\b/i.test(each)) ?? 'en';
}

effect(() => {
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en';
});
