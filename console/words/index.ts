export { common, errorWords, formWords, tableWords, viewerWords } from './common.ts';
export { LANGUAGES, type Language, language, locale } from './language.ts';
export { plural, type Words, words } from './words.ts';
