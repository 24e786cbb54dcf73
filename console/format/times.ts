import { locale } from '../words/language.ts';
import { UNKNOWN } from './numbers.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds since the epoch, as date and time of day here. */
export function time(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'medium' }).format(value);
}

/** On an axis: with seconds where ticks are closer than a minute, as a date where they are days apart. */
export function tick(value: number, apartMs: number): string {
  if (apartMs >= DAY) return new Intl.DateTimeFormat(locale(), { month: 'short', day: 'numeric' }).format(value);
  const seconds = apartMs < MINUTE ? ({ second: '2-digit' } as const) : {};
  const options = { hour: '2-digit', minute: '2-digit', ...seconds, hourCycle: 'h23' } as const;
  return new Intl.DateTimeFormat(locale(), options).format(value);
}

/** To the millisecond: where the order of things counts. */
export function exactTime(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  const seconds = time(value);
  const milliseconds = String(Math.floor(value) % SECOND).padStart(3, '0');
  // After the seconds, wherever a language has AM and PM.
  return seconds.replace(/(:\d\d)(?!.*:\d\d)/, `$1.${milliseconds}`);
}

const UNITS = [
  [DAY, 'day'],
  [HOUR, 'hour'],
  [MINUTE, 'minute'],
  [SECOND, 'second'],
] as const;

/** Milliseconds by their two largest units: 1 hr 5 min; 1.3 sec; 340 ms. */
export function duration(value: number | undefined): string {
  if (value === undefined) return UNKNOWN;
  if (value < SECOND) return unit(value < 10 ? Math.round(value * 10) / 10 : Math.round(value), 'millisecond');
  if (value < MINUTE) return unit(Math.round(value / 100) / 10, 'second');
  const first = UNITS.findIndex(([size]) => value >= size);
  return UNITS.slice(first, first + 2)
    .map(([size, name], index) => ({
      name,
      amount: Math.floor((index === 0 ? value : value % (UNITS[first]?.[0] ?? 1)) / size),
    }))
    .filter(({ amount }) => amount > 0)
    .map(({ amount, name }) => unit(amount, name))
    .join(' ');
}

/** How long ago, or until when: in 5 min, 3 hr ago. */
export function relative(value: number | undefined, now = Date.now()): string {
  if (value === undefined) return UNKNOWN;
  const away = value - now;
  const [size, name] = UNITS.find(([each]) => Math.abs(away) >= each) ?? [SECOND, 'second'];
  return new Intl.RelativeTimeFormat(locale(), { numeric: 'auto', style: 'short' }).format(
    Math.round(away / size),
    name,
  );
}

function unit(value: number, name: string): string {
  return new Intl.NumberFormat(locale(), { style: 'unit', unit: name, unitDisplay: 'short' }).format(value);
}
