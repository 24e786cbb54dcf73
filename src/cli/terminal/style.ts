import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];

/** Coloured where standard output is a terminal and NO_COLOR is not set. */
export function style(format: Format, text: string): string {
  return styleText(format, text, { stream: process.stdout });
}
