import { formWords } from '../words/common.ts';

/** What is wrong with the text of a field, for `validate`; undefined when nothing is. */
export function needed(text: string): string | undefined {
  return text.trim() === '' ? formWords.isRequired : undefined;
}

/** Of a whole number; an empty text is none, which is fine unless `required`. */
export function wholeNumber(
  text: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER, required = false } = {},
): string | undefined {
  if (text.trim() === '') return required ? formWords.isRequired : undefined;
  const value = Number(text);
  if (!Number.isInteger(value)) return formWords.notNumber;
  if (value < min) return formWords.tooSmall(min);
  return value > max ? formWords.tooLarge(max) : undefined;
}

export function json(text: string): string | undefined {
  if (text.trim() === '') return undefined;
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    return formWords.notJson;
  }
}

/** Of a field that was checked: undefined when it is empty. */
export function numberOf(text: string): number | undefined {
  return text.trim() === '' ? undefined : Number(text);
}
