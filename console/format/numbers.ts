import { locale } from '../words/language.ts';

const formats = new Map<string, Intl.NumberFormat>();

function format(value: number, options: Intl.NumberFormatOptions): string {
  const key = `${locale()} ${JSON.stringify(options)}`;
  let made = formats.get(key);
  if (made === undefined) {
    made = new Intl.NumberFormat(locale(), options);
    formats.set(key, made);
  }
  return made.format(value);
}

/** What is shown for what is not known. */
export const UNKNOWN = '–';

/** All digits, in groups. */
export function count(value: number | undefined): string {
  return value === undefined ? UNKNOWN : format(value, { maximumFractionDigits: 0 });
}

/** 12.3K: where there is little room. */
export function compact(value: number | undefined): string {
  return value === undefined ? UNKNOWN : format(value, { notation: 'compact', maximumFractionDigits: 1 });
}

/** 1024 bytes are a KiB. */
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function bytes(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  let size = value;
  let unit = 0;
  while (Math.abs(size) >= 1024 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${format(size, { maximumFractionDigits: unit === 0 ? 0 : size < 10 ? 2 : 1 })} ${UNITS[unit]}`;
}

/** Of something a second: 3.2/s. */
export function rate(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  const digits = value < 1 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: value < 10 ? 1 : 0 };
  return `${format(value, digits)}/s`;
}

export function byteRate(value: number | undefined): string {
  return value === undefined ? UNKNOWN : `${bytes(value)}/s`;
}

/** Of 1. */
export function percent(value: number | undefined): string {
  return value === undefined ? UNKNOWN : format(value, { style: 'percent', maximumFractionDigits: 1 });
}
