import { language } from './language.ts';

/** A text, or what makes one of numbers and names. */
type Word = string | ((...args: never[]) => string);
/** English first, then 简体中文: who leaves one out is told by the compiler. */
type Pairs<Texts> = { readonly [Name in keyof Texts]: readonly [en: Texts[Name], zh: Texts[Name]] };
export type Words<Texts> = { readonly [Name in keyof Texts]: Texts[Name] extends string ? string : Texts[Name] };

/** The words of a page: each property is the text in the language that was chosen. */
export function words<const Texts extends Readonly<Record<string, Word>>>(pairs: Pairs<Texts>): Words<Texts> {
  const both = {};
  for (const name of Object.keys(pairs) as (keyof Texts)[])
    Object.defineProperty(both, name, {
      enumerable: true,
      get: () => pairs[name][language.value === 'zh' ? 1 : 0],
    });
  return both as Words<Texts>;
}

/** English nouns after a number; 1 is singular. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? one : many;
}
